/** Evidence of a run in which every promise was kept. */
import type { Entry } from "../../harness/history.ts";
import type { Evidence } from "../evidence.ts";

const items = [{ productId: "book", quantity: 2 }];
export const total = "7.000000000 USD";

/** Three orders that went well: one confirmed, one declined, one confirmed and then cancelled. */
export function sound(): Evidence {
  let index = 0;
  const entry = (f: string, type: Entry["type"], value: unknown): Entry => ({
    index: index++,
    time: index,
    process: "c0",
    f,
    type,
    value,
  });
  const placed = (key: string, orderId: string, token = "tok_visa") => [
    entry("place", "invoke", { key, token, items }),
    entry("place", "ok", { key, token, items, orderId }),
  ];
  return {
    history: [
      ...placed("k1", "o1"),
      entry("read", "ok", { orderId: "o1", status: "PAID" }),
      entry("read", "ok", { orderId: "o1", status: "CONFIRMED" }),
      ...placed("k2", "o2", "tok_declined"),
      ...placed("k3", "o3"),
      entry("cancel", "ok", { orderId: "o3", status: "COMPENSATING" }),
    ],
    orders: [
      { id: "o1", customerId: "c0", status: "CONFIRMED", cancelReason: null, items, total },
      { id: "o2", customerId: "c0", status: "CANCELLED", cancelReason: "PAYMENT_DECLINED", items, total },
      { id: "o3", customerId: "c0", status: "CANCELLED", cancelReason: "REQUESTED", items, total },
    ],
    charges: [
      { orderId: "o1", sum: total, refunds: 0 },
      { orderId: "o3", sum: total, refunds: 1 },
    ],
    payments: [
      { orderId: "o1", status: "CHARGED" },
      { orderId: "o2", status: "DECLINED" },
      { orderId: "o3", status: "REFUNDED" },
    ],
    stock: [{ productId: "book", available: 98, reserved: 0, sold: 2 }],
    given: { book: 100 },
    reservations: [
      { orderId: "o1", status: "COMMITTED" },
      { orderId: "o2", status: "RELEASED" },
      { orderId: "o3", status: "RELEASED" },
    ],
    mails: [
      { orderId: "o1", kind: "confirmed" },
      { orderId: "o2", kind: "cancelled" },
      { orderId: "o3", kind: "confirmed" },
      { orderId: "o3", kind: "cancelled" },
    ],
    events: [
      {
        id: "e1",
        stream: "ORDER",
        type: "shop.order.v1.OrderConfirmed",
        key: "o1",
        published: true,
        recordedAt: 1,
      },
      {
        id: "e3",
        stream: "ORDER",
        type: "shop.order.v1.OrderConfirmed",
        key: "o3",
        published: true,
        recordedAt: 2,
      },
    ],
    streams: { ORDER: { ids: new Set(["e1", "e3"]), poison: new Set(["ORDER:7"]) } },
    deadLetters: [
      { consumer: "email__order_confirmed", eventId: "ORDER:7@2026", state: "open", poison: true },
    ],
    seen: [],
    finalAfter: 1_000,
    quietAfter: 2_000,
    unfinished: "",
  };
}
