/** Tables of order. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import { Migration20261127000000StoredReplies } from "./migrations/20261127000000-stored-replies.ts";
import { Migration20261127000001Timeline } from "./migrations/20261127000001-timeline.ts";
import type { Money } from "./money.ts";
import type { OrderItem } from "./order.ts";

/** An order and where its checkout stands. */
export const OrderRow = defineEntity({
  name: "Order",
  tableName: "orders",
  properties: {
    id: p.uuid().primary(),
    customerId: p.uuid(),
    status: p.enum(["PENDING", "RESERVED", "PAID", "CONFIRMED", "COMPENSATING", "CANCELLED"] as const),
    cancelReason: p.enum(["REQUESTED", "OUT_OF_STOCK", "PAYMENT_DECLINED", "TIMED_OUT"] as const).nullable(),
    items: p.json<[OrderItem, ...OrderItem[]]>(),
    total: p.json<Money>(),
    /** Kept until the charge is made or given up. */
    paymentToken: p.text().nullable(),
    version: p.bigint("bigint"),
    attempts: p.integer(),
    nextStepAt: p.datetime().nullable(),
    stepDeadline: p.datetime().nullable(),
    /** Ids of the request that placed the order; the checkout's calls and logs carry them on. */
    requestId: p.text(),
    traceparent: p.text(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

/** One try of a step of the checkout; see timeline.ts. */
export const OrderStepRow = defineEntity({
  name: "OrderStep",
  tableName: "order_steps",
  properties: {
    orderId: p.uuid().primary(),
    step: p
      .enum(["PLACE", "RESERVE", "CHARGE", "QUERY_CHARGE", "COMMIT", "CANCEL", "REFUND", "RELEASE"] as const)
      .primary(),
    outcome: p.enum(["DONE", "REFUSED", "FAILED", "TIMED_OUT", "SUPERSEDED"] as const).primary(),
    /** Number among the failed tries of the step that are kept; 0 for other outcomes. */
    slot: p.smallint().primary(),
    attempt: p.integer(),
    reason: p.text(),
    startedAt: p.datetime(),
    endedAt: p.datetime(),
  },
});

export type OrderStep = InferEntity<typeof OrderStepRow>;
export type Order = InferEntity<typeof OrderRow>;

export const storage: Storage = {
  entities: [OrderRow, OrderStepRow, ...eventEntities],
  migrations: [
    Migration20261122000000Initial,
    Migration20261127000000StoredReplies,
    Migration20261127000001Timeline,
  ],
};

/** Locks an order; null when there is none. */
export function lockOrder(tx: EntityManager, id: string): Promise<Order | null> {
  return tx.findOne(OrderRow, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

// The path of every order, where a statement of its own costs less than the unit of work finding out about it.

/** An order as it is now; undefined when there is none. */
export async function findOrder(orm: MikroORM, id: string): Promise<Order | undefined> {
  const em = orm.em.fork();
  const [row] = await em.execute("select * from orders where id = ?", [id]);
  return row && em.map(OrderRow, row);
}

/** Stores a new order with the transaction's next statement. */
export function insertOrder(tx: EntityManager, order: Order): Promise<void> {
  return runLater(
    tx,
    `insert into orders (id, customer_id, items, total, request_id, traceparent, created_at,
       status, cancel_reason, payment_token, version, attempts, next_step_at, step_deadline, updated_at)
     values (?, ?, ?::jsonb, ?::jsonb, ?, ?, ?, ?, ?, ?, ?, ?, ${later}, ${later}, ?)`,
    [
      order.id,
      order.customerId,
      JSON.stringify(order.items),
      JSON.stringify(order.total),
      order.requestId,
      order.traceparent,
      order.createdAt,
      ...progressOf(order),
    ],
  );
}

/**
 * Stores where an order stands now, unless somebody has moved it since it was at `version`. The row is locked
 * from here to the end of the transaction.
 * @returns whether it was stored
 */
export async function updateOrder(tx: EntityManager, order: Order, version: bigint): Promise<boolean> {
  const { affectedRows } = await tx.execute<{ affectedRows: number }>(
    `update orders set status = ?, cancel_reason = ?, payment_token = ?, version = ?, attempts = ?,
       next_step_at = ${later}, step_deadline = ${later}, updated_at = ?
     where id = ? and version = ?`,
    [...progressOf(order), order.id, String(version)],
    "run",
  );
  return affectedRows === 1;
}

/** Notes a failed try of an order that is locked, and when the next one is, in milliseconds from now. */
export async function postponeStep(tx: EntityManager, { id }: Order, waitMs: number): Promise<void> {
  await runLater(tx, `update orders set attempts = attempts + 1, next_step_at = ${later} where id = ?`, [
    waitMs,
    id,
  ]);
}

/** An order that is in hand. */
export interface Claimed {
  readonly order: Order;
  /** For how long its step is late, in milliseconds; negative before its time is up, and for one that has no end. */
  readonly lateMs: number;
}

/**
 * Takes orders whose next step is due, and keeps other replicas from them for `leaseMs`.
 * @param limit how many at most
 */
export async function claimOrders(orm: MikroORM, leaseMs: number, limit: number): Promise<Claimed[]> {
  const em = orm.em.fork();
  const rows = await em.execute<{ late_ms: number | null }[]>(
    `update orders set next_step_at = ${later}
     where id in (
       select id from orders where next_step_at <= now() order by next_step_at limit ? for update skip locked)
     returning *, (extract(epoch from now() - step_deadline) * 1000)::float8 as late_ms`,
    [leaseMs, limit],
  );
  return rows.map(({ late_ms, ...row }) => ({
    order: em.map(OrderRow, row),
    lateMs: late_ms ?? Number.NEGATIVE_INFINITY,
  }));
}

/**
 * In SQL: so many milliseconds from now; null stays null. What is due when is told by the database's clock alone:
 * that of the process that stores it may be wrong, and another process will read it.
 */
const later = "now() + ?::float8 * interval '1 ms'";

function progressOf(order: Order): unknown[] {
  const { status, cancelReason, paymentToken, version, attempts, nextStepAt, stepDeadline, updatedAt } =
    order;
  const fromNow = (at: Date | null | undefined) => (at ? at.getTime() - updatedAt.getTime() : null);
  return [
    status,
    cancelReason ?? null,
    paymentToken ?? null,
    String(version),
    attempts,
    fromNow(nextStepAt),
    fromNow(stepDeadline),
    updatedAt,
  ];
}
