/**
 * Cancelling that races with every step of the checkout, with calls that take as long as the seed says and lose
 * requests and replies, among three replicas of order, inventory and payment. Whatever interleaves, the order
 * ends in one state and money, stock and events agree.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Order, Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import { randomFrom } from "../../test/system/seeded-random.ts";
import { order } from "./service.ts";
import { type Market, soon, startMarket } from "./testdata/market.ts";

const { PAID, CONFIRMED, CANCELLED, COMPENSATING } = Order_Status;
/** From here on nothing is ahead that could keep the charge from being made. */
const paid = new Set([PAID, CONFIRMED, COMPENSATING, CANCELLED]);
let market: Market;
/** A customer and an admin at each replica. */
const doors: { customer: ReturnType<Market["customer"]>; admin: ReturnType<Market["asAdmin"]> }[] = [];
beforeAll(async () => {
  market = await startMarket();
  for (const replica of [1, 2, 3]) {
    if (replica > 1)
      for (const service of [market.stock.definition, market.money.definition, order])
        await market.served.start(service);
    doors.push({ customer: market.customer(), admin: market.asAdmin() });
  }
});
afterEach(() => {
  market.stock.open();
  market.money.open();
});
afterAll(() => market?.stop());

/** One order that is cancelled twice at once, somewhere between its placing and its end. */
async function race(seed: number, productId: string) {
  const random = randomFrom(seed);
  const { customer } = doors[seed % doors.length]!;
  const { admin } = doors[(seed >> 1) % doors.length]!;
  const paymentToken = random() < 0.2 ? "tok_declined" : random() < 0.2 ? "tok_flaky" : "tok_visa";
  const { id: orderId } = await customer.place([{ productId, quantity: 1 }], { paymentToken });
  const cancelAfter = random() < 0.25 ? undefined : random() ** 2 * 600;
  const status = async () => (await customer.client.getOrder({ orderId })).status;
  const acknowledged: Order[] = [];
  if (cancelAfter !== undefined) {
    // Some wait for the payment, so that it is in time for nobody's cancelling, however slow the machine is.
    if (random() < 0.25) await expect.poll(status, soon).toSatisfy((now) => paid.has(now));
    await new Promise((resolve) => setTimeout(resolve, cancelAfter));
    const clients = [customer.client, admin];
    acknowledged.push(...(await Promise.all(clients.map((client) => client.cancelOrder({ orderId })))));
  }
  await expect.poll(status, soon).toSatisfy((now) => now === CONFIRMED || now === CANCELLED);
  return { seed, orderId, status: await status(), acknowledged };
}

test("whatever interleaves, a cancelled order costs nothing and a confirmed one is paid once", async () => {
  const first = Number(process.env.RACE_SEED ?? 1);
  const count = Number(process.env.RACE_COUNT ?? 48);
  const productId = await market.stocked(1_000);
  const weather = randomFrom(first);
  const meet = async () => {
    await new Promise((resolve) => setTimeout(resolve, weather() * 25));
    if (weather() < 0.06) throw new ConnectError("lost on the way there or back", Code.Unavailable);
  };
  market.stock.meet(meet);
  market.money.meet(meet);
  const results = [];
  for (let seed = first; seed < first + count; seed += 8) {
    const seeds = Array.from({ length: 8 }, (_, offset) => seed + offset);
    results.push(...(await Promise.all(seeds.map((one) => race(one, productId)))));
  }
  market.stock.open(); // the questions below shall be answered
  market.money.open();
  let sold = 0;
  const ends = new Set<string>();
  for (const { seed, orderId, status, acknowledged } of results) {
    const at = `seed ${seed}`;
    const { charges, refunds } = await market.ledger(orderId);
    ends.add(`${charges} charged, ${refunds} refunded`);
    for (const order of acknowledged) expect([COMPENSATING, CANCELLED], at).toContain(order.status);
    if (acknowledged.length > 0) expect(status, at).toBe(CANCELLED);
    if (status === CONFIRMED) sold++;
    expect(charges - refunds, at).toBe(status === CONFIRMED ? 1 : 0);
    const events = await market.eventsOf(orderId);
    expect(events.at(-1), at).toBe(status === CONFIRMED ? "OrderConfirmed" : "OrderCancelled");
    expect(new Set(events).size, `${at}: each event once`).toBe(events.length);
  }
  expect(await market.stockOf(productId)).toEqual({ available: 1_000 - sold, reserved: 0, sold });
  // The seeds reach every end: confirmed, cancelled in time, cancelled after the charge.
  expect(ends).toEqual(new Set(["1 charged, 0 refunded", "0 charged, 0 refunded", "1 charged, 1 refunded"]));
}, 300_000);
