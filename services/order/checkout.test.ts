/** Every order comes to its end, whatever happens on the way, and each step has its effect once. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Order_CancelReason, Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import { order } from "./service.ts";
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
async function ordered(paymentToken = "tok_visa") {
  const productId = await market.stocked(10);
  const customer = market.customer();
  const { id: orderId } = await customer.place([{ productId, quantity: 2 }], { paymentToken });
  return { customer, orderId, productId };
}

const untouched = { available: 10, reserved: 0, sold: 0 };
const twoSold = { available: 8, reserved: 0, sold: 2 };

/** Waits until a command for an order has come so many times. */
const sent = (command: string, orderId: string, times = 1) =>
  expect
    .poll(() => market.commandsOf(orderId).filter((name) => name === command).length, soon)
    .toBeGreaterThanOrEqual(times);

test("a declined card cancels the order and puts the pieces back", async () => {
  const { customer, orderId, productId } = await ordered("tok_declined");
  expect((await customer.reached(orderId, CANCELLED)).cancelReason).toBe(Order_CancelReason.PAYMENT_DECLINED);
  expect(await market.stockOf(productId)).toEqual(untouched);
  expect(await market.ledger(orderId)).toEqual({ charges: 0, refunds: 0 });
  expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderCancelled"]);
});

test("more than there is in stock cancels the order, and nothing is charged", async () => {
  const [plenty, scarce] = [await market.stocked(10), await market.stocked(1)];
  const customer = market.customer();
  const { id: orderId } = await customer.place([
    { productId: plenty, quantity: 2 },
    { productId: scarce, quantity: 2 },
  ]);
  expect((await customer.reached(orderId, CANCELLED)).cancelReason).toBe(Order_CancelReason.OUT_OF_STOCK);
  expect(market.commandsOf(orderId)).not.toContain("charge");
  expect(await market.ledger(orderId)).toEqual({ charges: 0, refunds: 0 });
  expect(await market.stockOf(plenty)).toEqual(untouched);
  expect(await market.stockOf(scarce)).toEqual({ available: 1, reserved: 0, sold: 0 });
  expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderCancelled"]);
});

test("twelve buyers of five pieces: five are confirmed and charged, seven are told", async () => {
  const productId = await market.stocked(5);
  const customer = market.customer();
  const orders = await Promise.all(
    Array.from({ length: 12 }, () => customer.place([{ productId, quantity: 1 }])),
  );
  const statuses = await Promise.all(
    orders.map(({ id: orderId }) =>
      expect
        .poll(async () => (await customer.client.getOrder({ orderId })).status, soon)
        .toSatisfy((status) => status === CONFIRMED || status === CANCELLED)
        .then(async () => (await customer.client.getOrder({ orderId })).status),
    ),
  );
  expect(statuses.filter((status) => status === CONFIRMED)).toHaveLength(5);
  expect(await market.stockOf(productId)).toEqual({ available: 0, reserved: 0, sold: 5 });
  let charges = 0;
  for (const { id } of orders) charges += (await market.ledger(id)).charges;
  expect(charges).toBe(5);
});

test.each(["tok_flaky", "tok_timeout"])(
  "%s: a charge that takes several tries is made once",
  async (token) => {
    const { customer, orderId, productId } = await ordered(token);
    await customer.reached(orderId, CONFIRMED);
    await sent("charge", orderId, 2);
    expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 0 });
    expect(await market.stockOf(productId)).toEqual(twoSold);
  },
);

const steps = [
  ["reserve", "stock", "before reserve"],
  ["reserve", "stock", "after reserve"],
  ["charge", "money", "before charge"],
  ["charge", "money", "after charge"],
  ["commit", "stock", "before commit"],
  ["commit", "stock", "after commit"],
] as const;

test.each(steps)(
  "stopped during %s (%s shut %s), it goes on after a restart",
  async (command, service, point) => {
    market[service].shut(point);
    const { customer, orderId, productId } = await ordered();
    await sent(command, orderId);
    await market.served.end("order");
    market[service].open();
    const tried = market.commandsOf(orderId).length;
    await market.served.start(order);
    await market.customer(customer.user).reached(orderId, CONFIRMED);
    expect(market.commandsOf(orderId).length).toBeGreaterThan(tried);
    expect(await market.stockOf(productId)).toEqual(twoSold);
    expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 0 });
    expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderConfirmed"]);
  },
);

test.each(steps.filter(([, , point]) => point !== "after charge"))(
  "given up during %s (%s shut %s), everything is given back",
  async (command, service, point) => {
    market[service].shut(point);
    const { customer, orderId, productId } = await ordered();
    await sent(command, orderId);
    await market.orders.query("update orders set step_deadline = now() where id = $1", [orderId]);
    expect((await customer.reached(orderId, CANCELLED)).cancelReason).toBe(Order_CancelReason.TIMED_OUT);
    expect(await market.stockOf(productId)).toEqual(untouched);
    const { charges, refunds } = await market.ledger(orderId);
    expect(refunds).toBe(charges);
    expect(charges).toBe(["before commit", "after commit"].includes(point) ? 1 : 0);
    expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderCancelled"]);
  },
);

/** Sets an order's step so far past its deadline, once a charge was tried. */
async function runOut(orderId: string, ms: number) {
  await sent("charge", orderId);
  const sql = "update orders set step_deadline = now() - $2 * interval '1 ms' where id = $1";
  await market.orders.query(sql, [orderId, ms]);
}

test("a charge whose answer never came is asked for by key at its deadline, and the order goes on", async () => {
  market.money.shut("after charge");
  const { customer, orderId, productId } = await ordered();
  await runOut(orderId, 0);
  await customer.reached(orderId, CONFIRMED);
  expect(market.commandsOf(orderId)).not.toContain("refund");
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 0 });
  expect(await market.stockOf(productId)).toEqual(twoSold);
});

test("a refusal whose answer never came is asked for by key, and tells the customer why", async () => {
  market.money.shut("after charge");
  const { customer, orderId } = await ordered("tok_declined");
  await runOut(orderId, 0);
  expect((await customer.reached(orderId, CANCELLED)).cancelReason).toBe(Order_CancelReason.PAYMENT_DECLINED);
});

test("nothing is given up while payment cannot say what became of a charge, for half a minute", async () => {
  market.money.shut("after charge");
  market.money.shut("before getCharge");
  const { customer, orderId, productId } = await ordered();
  await runOut(orderId, 1_000);
  await expect
    .poll(() => market.money.calls.filter((call) => call === `getCharge ${orderId}`).length, soon)
    .toBeGreaterThan(2);
  expect((await customer.client.getOrder({ orderId })).status).toBe(Order_Status.RESERVED);
  await market.orders.query("update orders set step_deadline = now() - interval '30 s' where id = $1", [
    orderId,
  ]);
  expect((await customer.reached(orderId, CANCELLED)).cancelReason).toBe(Order_CancelReason.TIMED_OUT);
  expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 1 });
  expect(await market.stockOf(productId)).toEqual(untouched);
});

test.each([
  ["reserve", "stock"],
  ["charge", "money"],
  ["commit", "stock"],
] as const)(
  "a process that falls silent during %s is taken over when its lease is over",
  async (command, service) => {
    const silent = market[service].hold(`before ${command}`);
    const { customer, orderId, productId } = await ordered();
    await silent.reached;
    await market.orders.query("update orders set next_step_at = now() where id = $1", [orderId]);
    await customer.reached(orderId, CONFIRMED);
    await silent.release(); // late, and to no effect
    expect(await market.stockOf(productId)).toEqual(twoSold);
    expect(await market.ledger(orderId)).toEqual({ charges: 1, refunds: 0 });
    expect(await market.eventsOf(orderId)).toEqual(["OrderPlaced", "OrderConfirmed"]);
  },
);

test("two replicas share the work: each step of each order is done by one of them", async () => {
  const products = await Promise.all([1, 2, 3, 4].map(() => market.stocked(10)));
  const one = market.customer();
  await market.served.start(order);
  const other = market.customer(one.user);
  const placed = await Promise.all(
    products.flatMap((productId) =>
      [one, other, one, other].map((customer) => customer.place([{ productId, quantity: 1 }])),
    ),
  );
  for (const { id } of placed) await one.reached(id, CONFIRMED);
  await market.served.end("order"); // both have ended what they had in hand
  for (const { id } of placed) {
    const sql = "select step, outcome from order_steps where order_id = $1 and step <> 'PLACE'";
    const { rows: tries } = await market.orders.query<{ step: string; outcome: string }>(sql, [id]);
    // On a slow machine a command may take too long and be tried again; by both at once it is never tried.
    const tried = tries.map(({ step }) => step.toLowerCase());
    expect(market.commandsOf(id).toSorted()).toEqual(tried.toSorted());
    expect(new Set(tried)).toEqual(new Set(["reserve", "charge", "commit"]));
    expect(tries.map(({ outcome }) => outcome)).not.toContain("SUPERSEDED");
    expect(await market.ledger(id)).toEqual({ charges: 1, refunds: 0 });
    expect(await market.eventsOf(id)).toEqual(["OrderPlaced", "OrderConfirmed"]);
  }
  for (const productId of products)
    expect(await market.stockOf(productId)).toEqual({ available: 6, reserved: 0, sold: 4 });
});
