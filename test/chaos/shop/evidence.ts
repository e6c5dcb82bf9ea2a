/** What a run has left behind, read from outside: databases, mailbox, streams. */
import type { Mail } from "#local/inbox.ts";
import type { Entry } from "../harness/history.ts";
import type { Databases } from "./databases.ts";
import { poisonHeader } from "./poison-events.ts";

export interface Evidence {
  readonly history: readonly Entry[];
  readonly orders: readonly OrderEvidence[];
  readonly charges: readonly { orderId: string; sum: string; refunds: number }[];
  readonly payments: readonly { orderId: string; status: string }[];
  readonly stock: readonly StockEvidence[];
  /** Pieces that each product of the run was given. */
  readonly given: Readonly<Record<string, number>>;
  readonly reservations: readonly { orderId: string; status: string }[];
  readonly mails: readonly { orderId: string; kind: "confirmed" | "cancelled" }[];
  readonly events: readonly EventEvidence[];
  readonly streams: Readonly<Record<string, StreamEvidence>>;
  readonly deadLetters: readonly DeadLetterEvidence[];
  /** What broke a promise while the run went on. */
  readonly seen: readonly string[];
  /** Milliseconds from the last fault's end until every order was final, and until nothing was under way. */
  readonly finalAfter: number | undefined;
  readonly quietAfter: number | undefined;
  /** What was still under way when the harness stopped waiting. */
  readonly unfinished: string;
}

export interface DeadLetterEvidence {
  readonly consumer: string;
  readonly eventId: string;
  readonly state: string;
  /** Whether it was put into the stream so that nobody can read it. */
  readonly poison: boolean;
}

export interface OrderEvidence {
  readonly id: string;
  readonly customerId: string;
  readonly status: string;
  readonly cancelReason: string | null;
  readonly items: readonly { productId: string; quantity: number }[];
  /** "12.500000000 USD" */
  readonly total: string;
}

/** Whether nothing happens to an order with this status any more by itself. */
export function isFinal(status: string): boolean {
  return status === "CONFIRMED" || status === "CANCELLED";
}

export interface StockEvidence {
  readonly productId: string;
  readonly available: number;
  readonly reserved: number;
  readonly sold: number;
}

export interface EventEvidence {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly key: string;
  readonly published: boolean;
  /** Milliseconds since 1970. */
  readonly recordedAt: number;
}

export interface StreamEvidence {
  /** Ids of the events that it holds. */
  readonly ids: ReadonlySet<string>;
  /** Poison that it holds: the id where it has one, else STREAM:SEQUENCE. */
  readonly poison: ReadonlySet<string>;
}

/** Services with a database. */
export const services = ["auth", "user", "product", "inventory", "order", "payment", "email"];
/** Services that record events. */
export const emitters = ["auth", "inventory", "order"];

/** The databases' part of the evidence. */
export async function readDatabases(databases: Databases) {
  const orders = await databases.rows<{
    id: string;
    customer_id: string;
    status: string;
    cancel_reason: string | null;
    items: { productId: string; quantity: number }[];
    total: { units: string; nanos: number; currencyCode: string };
  }>("order", "select id, customer_id, status, cancel_reason, items, total from orders order by id");
  const charges = await databases.rows<{ order_id: string; sum: string; refunds: number }>(
    "payment",
    `select split_part(c.key, ':', 1) as order_id, c.sum, count(r.key)::int as refunds
     from provider_charges c left join provider_refunds r on r.charge_key = c.key
     where c.outcome = 'charged' group by c.key, c.sum`,
  );
  const payments = await databases.rows<{ orderId: string; status: string }>(
    "payment",
    `select order_id as "orderId", status from payments`,
  );
  const stock = await databases.rows<StockEvidence & { productId: string }>(
    "inventory",
    `select product_id as "productId", available, reserved, sold from stock`,
  );
  const reservations = await databases.rows<{ orderId: string; status: string }>(
    "inventory",
    `select order_id as "orderId", status from reservations`,
  );
  const events = await Promise.all(
    emitters.map((service) =>
      databases.rows<EventEvidence & { id: string }>(
        service,
        `select id, stream, type, key, published_at is not null as published,
           (extract(epoch from created_at) * 1000)::float8 as "recordedAt" from outbox`,
      ),
    ),
  );
  const deadLetters = await Promise.all(
    services.map((service) =>
      databases.rows<DeadLetterEvidence>(
        service,
        `select consumer, event_id as "eventId", state, headers ? '${poisonHeader}' as poison from dead_letters`,
      ),
    ),
  );
  return {
    orders: orders.map(({ id, customer_id, status, cancel_reason, items, total }) => ({
      id,
      customerId: customer_id,
      status,
      cancelReason: cancel_reason,
      items: items.map(({ productId, quantity }) => ({ productId, quantity })),
      total: `${total.units}.${String(total.nanos).padStart(9, "0")} ${total.currencyCode}`,
    })),
    charges: charges.map(({ order_id, sum, refunds }) => ({ orderId: order_id, sum, refunds })),
    payments,
    stock,
    reservations,
    events: events.flat(),
    deadLetters: deadLetters.flat(),
  };
}

/** Mails about orders, by the order's id in their subject. */
export function mailsAboutOrders(mails: readonly Mail[]): Evidence["mails"] {
  return mails.flatMap(({ subject }) => {
    const [, orderId, kind] = /^Your order (\S+) is (confirmed|cancelled)$/.exec(subject) ?? [];
    return orderId ? [{ orderId, kind: kind as "confirmed" | "cancelled" }] : [];
  });
}

/** What is still under way, asked of the databases. */
export async function workUnderWay(databases: Databases): Promise<{ open: number; rest: string }> {
  const count = async (service: string, sql: string) =>
    (await databases.rows<{ count: number }>(service, `select count(*)::int as count from ${sql}`))[0]!.count;
  const [open, payments, mails, unpublished, recorded, handled] = await Promise.all([
    count("order", "orders where status not in ('CONFIRMED', 'CANCELLED')"),
    count("payment", "payments where status = 'PENDING' or (status = 'CHARGED' and refund_requested)"),
    count("email", `emails mail where sent_at is null and not exists (${overtaken})`),
    Promise.all(emitters.map((service) => count(service, "outbox where published_at is null"))),
    Promise.all(emitters.map((service) => eventsByType(databases, service))),
    Promise.all(
      consumers.map(async ({ service, consumer, type }) => ({
        consumer,
        type,
        events: await count(service, `inbox where consumer = '${consumer}'`),
      })),
    ),
  ]);
  const byType = new Map(recorded.flat().map(({ type, events }) => [type, events]));
  const behind = handled
    .filter(({ type, events }) => events < (byType.get(type) ?? 0))
    .map(({ consumer, type, events }) => `${consumer} has handled ${events} of ${byType.get(type)} events`);
  const waiting = unpublished.reduce((sum, number) => sum + number, 0);
  const rest = [
    ...(payments ? [`${payments} payments are open`] : []),
    ...(waiting ? [`${waiting} events are not published`] : []),
    ...behind,
    ...(mails ? [`${mails} mails wait`] : []),
  ];
  return { open, rest: rest.join(", ") };
}

/** A confirmation is not sent any more once the cancellation of its order was. */
const overtaken = `select from emails other
  where other.order_id = mail.order_id and other.order_version > mail.order_version and other.attempts > 0`;

/** Consumers whose progress tells whether all events have arrived. */
const consumers = [
  { service: "email", consumer: "email__order_placed", type: "shop.order.v1.OrderPlaced" },
  { service: "email", consumer: "email__order_confirmed", type: "shop.order.v1.OrderConfirmed" },
  { service: "email", consumer: "email__order_cancelled", type: "shop.order.v1.OrderCancelled" },
  { service: "email", consumer: "email__user_registered", type: "shop.auth.v1.UserRegistered" },
  { service: "user", consumer: "user__user_registered", type: "shop.auth.v1.UserRegistered" },
  { service: "product", consumer: "product__stock_changed", type: "shop.inventory.v1.StockChanged" },
];

function eventsByType(databases: Databases, service: string): Promise<{ type: string; events: number }[]> {
  return databases.rows(service, "select type, count(*)::int as events from outbox group by type");
}
