/** A worker that was away for longer than its lease finds that others have gone on, and changes nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import { type Market, soon, startMarket } from "./testdata/market.ts";

const { CONFIRMED, CANCELLED } = Order_Status;
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

const leaseEnds = (orderId: string) =>
  market.orders.query("update orders set next_step_at = now() where id = $1", [orderId]);

/** How a step has ended, over all its tries. */
async function outcomesOf(orderId: string, step: string): Promise<string[]> {
  const { rows } = await market.orders.query<{ outcome: string }>(
    "select outcome from order_steps where order_id = $1 and step = $2 order by ended_at",
    [orderId, step],
  );
  return rows.map(({ outcome }) => outcome);
}

test.for([
  { command: "reserve", step: "RESERVE", gate: "stock" },
  { command: "charge", step: "CHARGE", gate: "money" },
  { command: "commit", step: "COMMIT", gate: "stock" },
] as const)(
  "the answer to $command comes when the order is confirmed already",
  async ({ command, step, gate }) => {
    const late = market[gate].hold(`after ${command}`);
    const { customer, orderId, productId } = await ordered();
    await late.reached;
    await leaseEnds(orderId);
    await customer.reached(orderId, CONFIRMED);
    await late.release();
    await expect.poll(() => outcomesOf(orderId, step), soon).toEqual(["DONE", "SUPERSEDED"]);
    const { status } = await customer.client.getOrder({ orderId });
    expect(status).toBe(CONFIRMED);
    expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 0 });
    expect(await market.stockOf(productId)).toEqual({ available: 8, reserved: 0, sold: 2 });
    expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderConfirmed"]);
  },
);

test("a charge that goes out when the order is cancelled already takes no money", async () => {
  const late = market.money.hold("before charge");
  const { customer, orderId, productId } = await ordered();
  await late.reached;
  await customer.client.cancelOrder({ orderId });
  await customer.reached(orderId, CANCELLED);
  await late.release();
  await expect.poll(() => outcomesOf(orderId, "CHARGE"), soon).toHaveLength(1);
  expect(await market.ledger(orderId)).toEqual({ charges: 0, refunds: 0 });
  expect(await market.stockOf(productId)).toEqual({ available: 10, reserved: 0, sold: 0 });
  expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderCancelled"]);
});
