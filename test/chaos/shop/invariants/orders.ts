/** What customers were told of their orders stays true, and every order comes to its end. */
import type { Invariant } from "../../harness/system-under-test.ts";
import type { PlacedValue } from "../account.ts";
import { type Evidence, isFinal, type OrderEvidence } from "../evidence.ts";

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

export const orderInvariants: readonly Invariant<Evidence>[] = [
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

function sameItems(left: OrderEvidence["items"], right: OrderEvidence["items"]): boolean {
  const text = (items: OrderEvidence["items"]) =>
    items
      .map(({ productId, quantity }) => `${productId} ${quantity}`)
      .sort()
      .join();
  return text(left) === text(right);
}
