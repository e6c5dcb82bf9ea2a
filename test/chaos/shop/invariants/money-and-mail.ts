/** Each order is paid once and told once, or costs nothing. */
import type { Invariant } from "../../harness/system-under-test.ts";
import { type Evidence, isFinal } from "../evidence.ts";

export const moneyAndMailInvariants: readonly Invariant<Evidence>[] = [
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
];
