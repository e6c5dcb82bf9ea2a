/** Watching an order through the contract. */
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Order, Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import type { Hold } from "../../test/system/gate.ts";
import { refusal } from "../../test/system/refusal.ts";
import { order } from "./service.ts";
import { type Market, startMarket } from "./testdata/market.ts";

const { PENDING, RESERVED, PAID, CONFIRMED, COMPENSATING, CANCELLED } = Order_Status;
let market: Market;
beforeAll(async () => {
  market = await startMarket();
});
afterEach(() => {
  market.stock.open();
  market.money.open();
});
afterAll(() => market?.stop());

const line = async () => [{ productId: await market.stocked(10), quantity: 1 }];

/** Statuses that a watch brings, until it ends. `after` runs at each before the next is awaited. */
async function statuses(watch: AsyncIterable<Order>, after: (status: Order_Status) => unknown = () => {}) {
  const seen: Order_Status[] = [];
  for await (const { status } of watch) {
    seen.push(status);
    await after(status);
  }
  return seen;
}

test("each status is told until the order is confirmed", async () => {
  const gates = new Map<Order_Status, Hold>([
    [PENDING, market.stock.hold("before reserve")],
    [RESERVED, market.money.hold("before charge")],
    [PAID, market.stock.hold("before commit")],
  ]);
  const customer = market.customer();
  const { id: orderId } = await customer.place(await line());
  const seen = await statuses(customer.client.watchOrder({ orderId }), (status) =>
    gates.get(status)?.release(),
  );
  expect(seen).toEqual([PENDING, RESERVED, PAID, CONFIRMED]);
});

test("a cancellation is told until everything is given back", async () => {
  const charge = market.money.hold("before charge");
  const refund = market.money.hold("before refund");
  const customer = market.customer();
  const { id: orderId } = await customer.place(await line());
  await charge.reached;
  const seen = await statuses(customer.client.watchOrder({ orderId }), async (status) => {
    if (status === RESERVED) await customer.client.cancelOrder({ orderId });
    if (status === COMPENSATING) await refund.release();
  });
  await charge.release();
  expect(seen).toEqual([RESERVED, COMPENSATING, CANCELLED]);
});

test("a settled order is told once", async () => {
  const customer = market.customer();
  const { id: orderId } = await customer.place(await line());
  await customer.reached(orderId, CONFIRMED);
  expect(await statuses(customer.client.watchOrder({ orderId }))).toEqual([CONFIRMED]);
});

test("many may watch, and each sees the end", async () => {
  const reserve = market.stock.hold("before reserve");
  const customer = market.customer();
  const { id: orderId } = await customer.place(await line());
  const watches = Array.from({ length: 20 }, () => statuses(customer.client.watchOrder({ orderId })));
  await reserve.release();
  for (const seen of await Promise.all(watches)) expect(seen.at(-1)).toBe(CONFIRMED);
});

test("changes that another replica makes are told too", async () => {
  const reserve = market.stock.hold("before reserve");
  const customer = market.customer();
  const { id: orderId } = await customer.place(await line());
  await reserve.reached; // by the first replica
  await market.served.start(order);
  const elsewhere = market.customer(customer.user).client;
  const seen = await statuses(elsewhere.watchOrder({ orderId }), (status) => {
    if (status === PENDING) return reserve.release();
  });
  expect(seen[0]).toBe(PENDING);
  expect(seen.at(-1)).toBe(CONFIRMED);
});

test("another customer's order is not found, as one that does not exist; an admin sees it", async () => {
  const customer = market.customer();
  const { id: orderId } = await customer.place(await line());
  await customer.reached(orderId, CONFIRMED);
  const notFound = { code: Code.NotFound, reason: "ORDER_NOT_FOUND", fields: [] };
  const watching = (orderId: string, client = customer.client) => statuses(client.watchOrder({ orderId }));
  expect(await refusal(watching(orderId, market.customer().client))).toEqual(notFound);
  expect(await refusal(watching(uuidv7()))).toEqual(notFound);
  expect(await watching(orderId, market.asAdmin())).toEqual([CONFIRMED]);
});
