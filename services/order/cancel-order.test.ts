/** Cancelling through the contract, wherever the checkout stands: everything is given back, once. */
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Order_CancelReason, Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Market, soon, startMarket } from "./testdata/market.ts";

const { CONFIRMED, COMPENSATING, CANCELLED } = Order_Status;
let market: Market;
beforeAll(async () => {
  market = await startMarket();
});
afterEach(() => {
  market.stock.open();
  market.money.open();
});
afterAll(() => market?.stop());

/** An order of two pieces of ten. */
async function ordered() {
  const productId = await market.stocked(10);
  const customer = market.customer();
  const { id: orderId } = await customer.place([{ productId, quantity: 2 }]);
  return { customer, orderId, productId };
}

const untouched = { available: 10, reserved: 0, sold: 0 };

test("a confirmed order is refunded and restocked", async () => {
  const { customer, orderId, productId } = await ordered();
  await customer.reached(orderId, CONFIRMED);
  expect(await customer.client.cancelOrder({ orderId })).toMatchObject({
    status: COMPENSATING,
    cancelReason: Order_CancelReason.REQUESTED,
  });
  expect(await customer.reached(orderId, CANCELLED)).toMatchObject({
    cancelReason: Order_CancelReason.REQUESTED,
  });
  expect(await market.stockOf(productId)).toEqual(untouched);
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 1 });
  expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderConfirmed", "OrderCancelled"]);
});

test.each([
  ["before anything is reserved", "stock", "before reserve", { charges: 0, refunds: 0 }],
  [
    "when the pieces are reserved and the reply is on its way",
    "stock",
    "after reserve",
    { charges: 0, refunds: 0 },
  ],
  ["before the charge", "money", "before charge", { charges: 0, refunds: 0 }],
  [
    "when the charge is made and the reply is on its way",
    "money",
    "after charge",
    { charges: 1, refunds: 1 },
  ],
  ["before the sale", "stock", "before commit", { charges: 1, refunds: 1 }],
  [
    "when the pieces are sold and the reply is on its way",
    "stock",
    "after commit",
    { charges: 1, refunds: 1 },
  ],
] as const)("cancelled %s, an order costs nothing", async (_when, service, point, ledger) => {
  const step = market[service].hold(point);
  const { customer, orderId, productId } = await ordered();
  await step.reached;
  expect(await customer.client.cancelOrder({ orderId })).toMatchObject({ status: COMPENSATING });
  await customer.reached(orderId, CANCELLED);
  await step.release(); // what arrives after all was given back must change nothing
  expect(await market.stockOf(productId)).toEqual(untouched);
  expect(await market.ledger(orderId)).toEqual(ledger);
  expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderCancelled"]);
});

test("cancelling twice, even at once, changes nothing more", async () => {
  const { customer, orderId, productId } = await ordered();
  await customer.reached(orderId, CONFIRMED);
  const replies = await Promise.all([1, 2, 3].map(() => customer.client.cancelOrder({ orderId })));
  for (const { status } of replies) expect([COMPENSATING, CANCELLED]).toContain(status);
  const cancelled = await customer.reached(orderId, CANCELLED);
  expect(await customer.client.cancelOrder({ orderId })).toEqual(cancelled);
  expect(await market.stockOf(productId)).toEqual(untouched);
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 1 });
  expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderConfirmed", "OrderCancelled"]);
});

test("an order that could not be fulfilled keeps its reason when it is cancelled afterwards", async () => {
  const customer = market.customer();
  const items = [{ productId: await market.stocked(1), quantity: 2 }];
  const { id: orderId } = await customer.place(items);
  await customer.reached(orderId, CANCELLED);
  expect(await customer.client.cancelOrder({ orderId })).toMatchObject({
    status: CANCELLED,
    cancelReason: Order_CancelReason.OUT_OF_STOCK,
  });
});

test("a refund or a release that does not get through is tried until it does", async () => {
  const { customer, orderId, productId } = await ordered();
  await customer.reached(orderId, CONFIRMED);
  market.money.shut("after refund"); // made, but the answer is lost
  await customer.client.cancelOrder({ orderId });
  await expect
    .poll(() => market.commandsOf(orderId).filter((name) => name === "refund").length, soon)
    .toBe(2);
  market.money.open();
  market.stock.shut("before release");
  await expect
    .poll(() => market.commandsOf(orderId).filter((name) => name === "release").length, soon)
    .toBe(2);
  expect(await customer.client.getOrder({ orderId })).toMatchObject({ status: COMPENSATING });
  market.stock.open();
  await customer.reached(orderId, CANCELLED);
  expect(await market.stockOf(productId)).toEqual(untouched);
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 1 });
});

test("an admin may cancel anybody's order", async () => {
  const { customer, orderId } = await ordered();
  await customer.reached(orderId, CONFIRMED);
  await market.asAdmin().cancelOrder({ orderId });
  await customer.reached(orderId, CANCELLED);
});

test("another customer's order is not found, as one that does not exist, and stays as it is", async () => {
  const { customer, orderId } = await ordered();
  const confirmed = await customer.reached(orderId, CONFIRMED);
  const notFound = { code: Code.NotFound, reason: "ORDER_NOT_FOUND", fields: [] };
  expect(await refusal(market.customer().client.cancelOrder({ orderId }))).toEqual(notFound);
  expect(await refusal(customer.client.cancelOrder({ orderId: uuidv7() }))).toEqual(notFound);
  expect(await customer.client.getOrder({ orderId })).toEqual(confirmed);
});
