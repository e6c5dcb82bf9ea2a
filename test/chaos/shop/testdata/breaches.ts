/** Ways to break the promises, one at a time. */
import type { Evidence } from "../evidence.ts";
import { total } from "./sound-run.ts";

/** What breaks which promise, and the words that name it. */
export const breaches: [
  name: string,
  invariant: string,
  says: string,
  change: (evidence: Evidence) => Partial<Evidence>,
][] = [
  [
    "an acknowledged order that is gone",
    "acknowledged orders are kept",
    "order o1 was acknowledged and is lost",
    ({ orders }) => ({ orders: orders.filter(({ id }) => id !== "o1") }),
  ],
  [
    "an order with other items",
    "acknowledged orders are kept",
    "order o1 holds other items",
    ({ orders }) => ({ orders: orders.map((order) => ({ ...order, items: [] })) }),
  ],
  [
    "two orders under one key",
    "one order for each key",
    "key k1 was answered with 2 orders: o1, o3",
    ({ history }) => ({
      history: history.map((entry) => {
        const value = entry.value as { key?: string };
        return value.key === "k3" ? { ...entry, value: { ...value, key: "k1" } } : entry;
      }),
    }),
  ],
  [
    "an order that nobody was told of, beside the one its customer got",
    "one order for each key",
    "4 orders exist under 3 keys",
    ({ orders }) => ({ orders: [...orders, { ...orders[1]!, id: "o4" }] }),
  ],
  [
    "an order that is not final",
    "every order is final",
    "order o1 is PAID",
    ({ orders }) => ({
      orders: orders.map((order) => (order.id === "o1" ? { ...order, status: "PAID" } : order)),
    }),
  ],
  [
    "orders that are final too late",
    "every order is final",
    "final after 60001 ms",
    () => ({ finalAfter: 60_001 }),
  ],
  [
    "orders that are never final",
    "every order is final",
    "final never: 2 are not final",
    () => ({ finalAfter: undefined, unfinished: "2 are not final" }),
  ],
  [
    "mails that wait for ever",
    "work comes to rest",
    "3 mails wait",
    () => ({ quietAfter: undefined, unfinished: "3 mails wait" }),
  ],
  [
    "a second charge",
    "charged exactly once",
    "order o1 is CONFIRMED and has 2 net charges",
    ({ charges }) => ({ charges: [...charges, charges[0]!] }),
  ],
  [
    "a second charge that was given back",
    "charged exactly once",
    "order o1 was charged 2 times",
    ({ charges }) => ({ charges: [...charges, { ...charges[0]!, refunds: 1 }] }),
  ],
  [
    "a confirmed order that nobody paid",
    "charged exactly once",
    "order o1 is CONFIRMED and has 0 net charges",
    ({ charges }) => ({ charges: charges.slice(1) }),
  ],
  [
    "a cancelled order without its refund",
    "charged exactly once",
    "order o3 is CANCELLED and has 1 net charges",
    ({ charges }) => ({ charges: charges.map((charge) => ({ ...charge, refunds: 0 })) }),
  ],
  [
    "a charge of another sum",
    "charged exactly once",
    "order o1 costs 7.000000000 USD and was charged 8.000000000 USD",
    ({ charges }) => ({ charges: charges.map((charge) => ({ ...charge, sum: "8.000000000 USD" })) }),
  ],
  [
    "a charge of no order",
    "charged exactly once",
    "a charge belongs to order o9",
    ({ charges }) => ({ charges: [...charges, { orderId: "o9", sum: total, refunds: 0 }] }),
  ],
  [
    "books that differ from the provider's",
    "charged exactly once",
    "order o1 is CONFIRMED and its payment is PENDING",
    ({ payments }) => ({ payments: payments.map((payment) => ({ ...payment, status: "PENDING" })) }),
  ],
  [
    "a confirmation that never came",
    "mailed exactly once",
    "order o1 is CONFIRMED and has 0 confirmations",
    ({ mails }) => ({ mails: mails.slice(1) }),
  ],
  [
    "a confirmation that came twice",
    "mailed exactly once",
    "order o1 is CONFIRMED and has 2 confirmations",
    ({ mails }) => ({ mails: [...mails, mails[0]!] }),
  ],
  [
    "a confirmation of an order that never was",
    "mailed exactly once",
    "order o2 is CANCELLED and has 1 confirmations",
    ({ mails }) => ({ mails: [...mails, { orderId: "o2", kind: "confirmed" }] }),
  ],
  [
    "pieces that were lost",
    "stock is conserved",
    "product book had 100 pieces and has 99",
    ({ stock }) => ({ stock: stock.map((row) => ({ ...row, available: row.available - 1 })) }),
  ],
  [
    "negative stock",
    "stock is conserved",
    "product book has negative stock",
    ({ stock }) => ({ stock: stock.map((row) => ({ ...row, available: 101, reserved: -3 })) }),
  ],
  [
    "pieces that nobody gave back",
    "stock is conserved",
    "1 pieces of book are still reserved",
    ({ stock }) => ({ stock: stock.map((row) => ({ ...row, available: 97, reserved: 1 })) }),
  ],
  [
    "pieces sold to nobody",
    "stock is conserved",
    "3 pieces of book are sold, but confirmed orders hold 2",
    ({ stock }) => ({ stock: stock.map((row) => ({ ...row, available: 97, sold: 3 })) }),
  ],
  [
    "a reservation of a cancelled order",
    "stock is conserved",
    "order o3 is CANCELLED, its reservation RESERVED",
    ({ reservations }) => ({
      reservations: reservations.map((row) => (row.orderId === "o3" ? { ...row, status: "RESERVED" } : row)),
    }),
  ],
  [
    "stock that was negative at a moment",
    "stock is conserved",
    "product book had negative stock",
    () => ({ seen: ["product book had negative stock"] }),
  ],
  [
    "an event that its stream has lost",
    "events are in their streams",
    "OrderConfirmed e3 is not in the stream ORDER",
    ({ streams }) => ({ streams: { ORDER: { ...streams.ORDER!, ids: new Set(["e1"]) } } }),
  ],
  [
    "an event that never left",
    "events are in their streams",
    "OrderConfirmed e1 was not published",
    ({ events }) => ({ events: events.map((event) => ({ ...event, published: event.id !== "e1" })) }),
  ],
  [
    "a good event that was given up",
    "nothing is given up",
    "email__order_confirmed has event e1 as a dead letter",
    ({ deadLetters }) => ({
      deadLetters: [
        ...deadLetters,
        { consumer: "email__order_confirmed", eventId: "e1", state: "open", poison: false },
      ],
    }),
  ],
  [
    "poison that was swallowed",
    "nothing is given up",
    "poison ORDER:7 is no dead letter",
    () => ({ deadLetters: [] }),
  ],
  [
    "a declined card that pays",
    "orders end for the right reason",
    "order o1 was paid with a declined card",
    ({ history }) => ({
      history: history.map((entry) => ({
        ...entry,
        value: { ...(entry.value as object), token: "tok_declined" },
      })),
    }),
  ],
  [
    "a good card that is declined",
    "orders end for the right reason",
    "order o3 was declined although its card is good",
    ({ orders }) => ({
      orders: orders.map((order) =>
        order.cancelReason ? { ...order, cancelReason: "PAYMENT_DECLINED" } : order,
      ),
    }),
  ],
  [
    "a cancellation that was forgotten",
    "orders end for the right reason",
    "order o1 was cancelled and is CONFIRMED",
    ({ history }) => ({ history: [...history, { ...history.at(-1)!, value: { orderId: "o1" } }] }),
  ],
  [
    "a status that goes back",
    "no order goes back",
    "order o1 was CONFIRMED and became PAID",
    ({ history }) => ({
      history: [
        ...history,
        { ...history[0]!, f: "read", type: "ok", value: { orderId: "o1", status: "PAID" } },
      ],
    }),
  ],
];
