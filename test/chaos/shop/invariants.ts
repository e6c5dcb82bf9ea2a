/** What the shop promises, each promise as a check of the evidence of a run. */
import type { Invariant } from "../harness/system-under-test.ts";
import type { PlacedValue } from "./customers.ts";
import type { Evidence, OrderEvidence } from "./evidence.ts";

/** Longest time from the end of the last fault until every order is final, in milliseconds. */
export const finalWithinMs = 60_000;

const ranks: Record<string, number> = {
  PENDING: 1,
  RESERVED: 2,
  PAID: 3,
  CONFIRMED: 4,
  COMPENSATING: 5,
  CANCELLED: 6,
};

export const invariants: readonly Invariant<Evidence>[] = [
  {
    name: "acknowledged orders are kept",
    promise: "An order whose customer was told its id exists, with what was ordered.",
    check({ history, orders }) {
      const byId = new Map(orders.map((order) => [order.id, order]));
      return acknowledged(history).flatMap(({ orderId, items }) => {
        const order = byId.get(orderId);
        if (!order) return [`order ${orderId} was acknowledged and is lost`];
        return sameItems(order.items, items) ? [] : [`order ${orderId} holds other items than were ordered`];
      });
    },
  },
  {
    name: "one order for each key",
    promise: "However often a request is sent under one Idempotency-Key, there is one order and one answer.",
    check({ history, orders }) {
      const answers = Map.groupBy(acknowledged(history), ({ key }) => key);
      const breaches = [...answers].flatMap(([key, placed]) => {
        const ids = new Set(placed.map(({ orderId }) => orderId));
        return ids.size > 1
          ? [`key ${key} was answered with ${ids.size} orders: ${[...ids].join(", ")}`]
          : [];
      });
      const keys = new Set(
        history
          .filter(({ f, type }) => f === "place" && type === "invoke")
          .map(({ value }) => (value as PlacedValue).key),
      );
      if (orders.length > keys.size) breaches.push(`${orders.length} orders exist under ${keys.size} keys`);
      return breaches;
    },
  },
  {
    name: "every order is final",
    promise: `Every order is CONFIRMED or CANCELLED within ${finalWithinMs / 1000} s after the last fault.`,
    check({ orders, finalAfter, unfinished }) {
      const open = orders
        .filter(({ status }) => !isFinal(status))
        .map(({ id, status }) => `order ${id} is ${status}`);
      const late = finalAfter === undefined || finalAfter > finalWithinMs;
      const when = finalAfter === undefined ? "never" : `after ${finalAfter} ms`;
      return late ? [...open, `all orders were final ${when}${unfinished && `: ${unfinished}`}`] : open;
    },
  },
  {
    name: "work comes to rest",
    promise:
      "Events, payments and mails that follow from the orders are done soon after the last fault, too.",
    check: ({ quietAfter, unfinished }) => (quietAfter === undefined ? [unfinished || "unknown"] : []),
  },
  {
    name: "charged exactly once",
    promise: "A confirmed order has one charge of its total and no refund; a cancelled one costs nothing.",
    check({ orders, charges, payments }) {
      const byOrder = Map.groupBy(charges, ({ orderId }) => orderId);
      const payment = new Map(payments.map(({ orderId, status }) => [orderId, status]));
      const known = new Set(orders.map(({ id }) => id));
      const breaches = charges
        .filter(({ orderId }) => !known.has(orderId))
        .map(({ orderId }) => `a charge belongs to order ${orderId}, which does not exist`);
      for (const { id, status, total } of orders.filter((order) => isFinal(order.status))) {
        const own = byOrder.get(id) ?? [];
        const net = own.reduce((sum, { refunds }) => sum + 1 - refunds, 0);
        const wanted = status === "CONFIRMED" ? 1 : 0;
        if (net !== wanted) breaches.push(`order ${id} is ${status} and has ${net} net charges`);
        if (own.length > 1) breaches.push(`order ${id} was charged ${own.length} times`);
        for (const { sum } of own)
          if (sum !== total) breaches.push(`order ${id} costs ${total} and was charged ${sum}`);
        const books = payment.get(id);
        if (status === "CONFIRMED" ? books !== "CHARGED" : books === "CHARGED" || books === "PENDING")
          breaches.push(`order ${id} is ${status} and its payment is ${books ?? "missing"}`);
      }
      return breaches;
    },
  },
  {
    name: "mailed exactly once",
    promise:
      "A confirmed order has one mail, its confirmation. A cancelled one has one mail of cancellation, and one of " +
      "confirmation at most, only if it was confirmed before.",
    check({ orders, mails, events }) {
      const byOrder = Map.groupBy(mails, ({ orderId }) => orderId);
      const wasConfirmed = new Set(
        events.filter(({ type }) => type === "shop.order.v1.OrderConfirmed").map(({ key }) => key),
      );
      return orders
        .filter(({ status }) => isFinal(status))
        .flatMap(({ id, status }) => {
          const own = byOrder.get(id) ?? [];
          const confirmed = own.filter(({ kind }) => kind === "confirmed").length;
          const cancelled = own.length - confirmed;
          const right =
            status === "CONFIRMED"
              ? confirmed === 1 && cancelled === 0
              : cancelled === 1 && confirmed <= (wasConfirmed.has(id) ? 1 : 0);
          return right
            ? []
            : [`order ${id} is ${status} and has ${confirmed} confirmations and ${cancelled} cancellations`];
        });
    },
  },
  {
    name: "stock is conserved",
    promise:
      "available + reserved + sold stays what was given, never negative; sold is what confirmed orders hold.",
    check({ orders, stock, given, reservations, seen }) {
      const sold = new Map<string, number>();
      for (const { items } of orders.filter(({ status }) => status === "CONFIRMED"))
        for (const { productId, quantity } of items)
          sold.set(productId, (sold.get(productId) ?? 0) + quantity);
      const rows = new Map(stock.map((row) => [row.productId, row]));
      const products = Object.entries(given).flatMap(([productId, pieces]) => {
        const row = rows.get(productId);
        if (!row) return [`the stock of ${productId} is gone`];
        const { available, reserved } = row;
        return [
          ...(available + reserved + row.sold === pieces
            ? []
            : [`product ${productId} had ${pieces} pieces and has ${available + reserved + row.sold}`]),
          ...(Math.min(available, reserved, row.sold) < 0 ? [`product ${productId} has negative stock`] : []),
          ...(reserved === 0 ? [] : [`${reserved} pieces of ${productId} are still reserved`]),
          ...(row.sold === (sold.get(productId) ?? 0)
            ? []
            : [
                `${row.sold} pieces of ${productId} are sold, but confirmed orders hold ${sold.get(productId) ?? 0}`,
              ]),
        ];
      });
      const status = new Map(orders.map((order) => [order.id, order.status]));
      const held = reservations
        .filter(
          ({ orderId, status: held }) =>
            held !== (status.get(orderId) === "CONFIRMED" ? "COMMITTED" : "RELEASED"),
        )
        .filter(({ orderId }) => isFinal(status.get(orderId) ?? "CANCELLED"))
        .map(
          ({ orderId, status: held }) =>
            `order ${orderId} is ${status.get(orderId)}, its reservation ${held}`,
        );
      return [...products, ...held, ...seen];
    },
  },
  {
    name: "events are in their streams",
    promise: "Every event of an outbox is published, and its stream has it, whatever happened to the stream.",
    check: ({ events, streams }) =>
      events.flatMap(({ id, type, stream, published }) => {
        if (!published) return [`${type} ${id} was not published`];
        return streams[stream]?.ids.has(id) ? [] : [`${type} ${id} is not in the stream ${stream}`];
      }),
  },
  {
    name: "nothing is given up",
    promise: "Only poison becomes a dead letter, and all poison that a stream still has does.",
    check({ deadLetters, poison, streams }) {
      // What cannot be read has no id: its dead letter is called STREAM:SEQUENCE@TIME.
      const place = (eventId: string) => eventId.split("@")[0]!;
      const given = new Set(
        deadLetters.filter(({ state }) => state === "open").map(({ eventId }) => place(eventId)),
      );
      const wrong = deadLetters
        .filter(({ eventId, state }) => state !== "replayed" && !poison.has(place(eventId)))
        .map(({ consumer, eventId, state }) => `${consumer} has event ${eventId} as a dead letter: ${state}`);
      const kept = Object.values(streams).flatMap(({ poison: held }) => [...held]);
      return [...wrong, ...kept.filter((id) => !given.has(id)).map((id) => `poison ${id} is no dead letter`)];
    },
  },
  {
    name: "orders end for the right reason",
    promise:
      "A declined card never pays, a cancelled order stays cancelled, and a good card is not declined.",
    check({ history, orders }) {
      const tokenOf = new Map(acknowledged(history).map(({ orderId, token }) => [orderId, token]));
      const asked = new Set(
        history
          .filter(({ f, type }) => f === "cancel" && type === "ok")
          .map(({ value }) => (value as { orderId: string }).orderId),
      );
      return orders.flatMap(({ id, status, cancelReason }) => {
        const declined = tokenOf.get(id) === "tok_declined";
        if (declined && status === "CONFIRMED") return [`order ${id} was paid with a declined card`];
        if (asked.has(id) && status === "CONFIRMED") return [`order ${id} was cancelled and is CONFIRMED`];
        if (tokenOf.has(id) && !declined && cancelReason === "PAYMENT_DECLINED")
          return [`order ${id} was declined although its card is good`];
        return [];
      });
    },
  },
  {
    name: "no order goes back",
    promise: "A customer never sees an order in an earlier status than it was seen in before.",
    check({ history }) {
      const seen = new Map<string, string>();
      return history.flatMap(({ process, f, type, value, index }) => {
        if (f !== "read" || type !== "ok") return [];
        const { orderId, status } = value as { orderId: string; status: string };
        const name = `${process} ${orderId}`;
        const before = seen.get(name);
        seen.set(name, status);
        return before && ranks[before]! > ranks[status]!
          ? [`entry ${index}: order ${orderId} was ${before} and became ${status}`]
          : [];
      });
    },
  },
];

type Acknowledged = PlacedValue & { orderId: string };

function acknowledged(history: Evidence["history"]): Acknowledged[] {
  return history
    .filter(({ f, type }) => f === "place" && type === "ok")
    .map(({ value }) => value as Acknowledged);
}

function isFinal(status: string): boolean {
  return status === "CONFIRMED" || status === "CANCELLED";
}

function sameItems(left: OrderEvidence["items"], right: OrderEvidence["items"]): boolean {
  const text = (items: OrderEvidence["items"]) =>
    items
      .map(({ productId, quantity }) => `${productId} ${quantity}`)
      .sort()
      .join();
  return text(left) === text(right);
}
