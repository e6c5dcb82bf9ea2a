/** When a step is due, and when it is late, is told by the database's clock: that of a process may be wrong. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import { type Market, startMarket } from "./testdata/market.ts";

const { CONFIRMED, CANCELLED } = Order_Status;
let market: Market;
beforeAll(async () => {
  market = await startMarket();
});
afterEach(() => {
  vi.useRealTimers();
  market.stock.open();
  market.money.open();
});
afterAll(() => market?.stop());

const hour = 60 * 60 * 1_000;
/** Puts the clock of every process here off; that of the database goes right. */
const putClock = (byMs: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + byMs });

/** Seconds until the next step of an order is due, and until it is late; null for never. */
async function timesOf(orderId: string): Promise<{ due: number; late: number }> {
  const seconds = (column: string) => `extract(epoch from ${column} - now())::float8`;
  const { rows } = await market.orders.query(
    `select ${seconds("next_step_at")} as due, ${seconds("step_deadline")} as late from orders where id = $1`,
    [orderId],
  );
  return rows[0];
}

/** An order whose charge has not left yet. */
async function orderBeforeCharge() {
  const charge = market.money.hold("before charge");
  const productId = await market.stocked(10);
  const customer = market.customer();
  const { id: orderId } = await customer.place([{ productId, quantity: 2 }]);
  await charge.reached;
  return { charge, customer, orderId, productId };
}

test("a clock that jumps an hour ahead does not end orders before their time", async () => {
  const { charge, customer, orderId } = await orderBeforeCharge();
  putClock(hour);
  // The process that had it in hand is gone for good; another one takes over.
  await market.orders.query("update orders set next_step_at = now() where id = $1", [orderId]);
  await customer.reached(orderId, CONFIRMED);
  await charge.release();
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 0 });
});

test.each([
  ["ahead", hour],
  ["behind", -hour],
])("orders of a process whose clock is an hour %s are due and late at the right time", async (_, byMs) => {
  putClock(byMs);
  const { charge, customer, orderId } = await orderBeforeCharge();
  const { due, late } = await timesOf(orderId);
  expect(due).toBeGreaterThan(0);
  expect(due).toBeLessThan(16);
  expect(late).toBeGreaterThan(0);
  expect(late).toBeLessThan(31);
  await charge.release();
  await customer.reached(orderId, CONFIRMED);
  // Cancelling sets a time, too.
  await customer.client.cancelOrder({ orderId });
  await customer.reached(orderId, CANCELLED);
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 1 });
});
