/** Pieces are neither made nor lost. */
import type { Invariant } from "../../harness/system-under-test.ts";
import { type Evidence, isFinal } from "../evidence.ts";

export const stockInvariants: readonly Invariant<Evidence>[] = [
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
];
