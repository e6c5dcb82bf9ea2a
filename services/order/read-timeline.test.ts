import { enumToJson } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  OrderTimeline_Step_NameSchema as NameSchema,
  Order_Status,
  OrderTimeline_Step_OutcomeSchema as OutcomeSchema,
} from "#gen/shop/order/v1/order_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
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

async function ordered(paymentToken = "tok_visa") {
  const customer = market.customer();
  const productId = await market.stocked(10);
  const { id: orderId } = await customer.place([{ productId, quantity: 2 }], { paymentToken });
  /** "STEP attempt OUTCOME reason" of each entry. */
  const timeline = async () => {
    const { steps } = await customer.client.getOrderTimeline({ orderId });
    return steps.map(({ step, attempt, outcome, reason }) =>
      `${enumToJson(NameSchema, step)} ${attempt} ${enumToJson(OutcomeSchema, outcome)} ${reason}`.trim(),
    );
  };
  return { customer, orderId, timeline };
}

test("a confirmed order shows each step once, in order, with its times", async () => {
  const { customer, orderId, timeline } = await ordered();
  await customer.reached(orderId, CONFIRMED);
  expect(await timeline()).toEqual(["PLACE 1 DONE", "RESERVE 1 DONE", "CHARGE 1 DONE", "COMMIT 1 DONE"]);
  const { steps, customerId } = await customer.client.getOrderTimeline({ orderId });
  expect(customerId).toBe(customer.user.id);
  const times = steps.flatMap(({ startedAt, endedAt }) =>
    [startedAt, endedAt].map((at) => Number(at?.seconds) * 1_000 + (at?.nanos ?? 0) / 1e6),
  );
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("a refusal and what followed from it are there with the reason", async () => {
  const { customer, orderId, timeline } = await ordered("tok_declined");
  await customer.reached(orderId, CANCELLED);
  expect(await timeline()).toEqual([
    "PLACE 1 DONE",
    "RESERVE 1 DONE",
    "CHARGE 1 REFUSED PAYMENT_DECLINED",
    "REFUND 1 DONE",
    "RELEASE 1 DONE",
  ]);
});

test("failed tries are there one by one, with what went wrong", async () => {
  const { customer, orderId, timeline } = await ordered("tok_flaky");
  await customer.reached(orderId, CONFIRMED);
  expect(await timeline()).toEqual([
    "PLACE 1 DONE",
    "RESERVE 1 DONE",
    "CHARGE 1 FAILED UNAVAILABLE PROVIDER_UNAVAILABLE",
    "CHARGE 2 FAILED UNAVAILABLE PROVIDER_UNAVAILABLE",
    "CHARGE 3 DONE",
    "COMMIT 1 DONE",
  ]);
});

test("a step that ends after the order was cancelled is shown as superseded", async () => {
  const charging = market.money.hold("after charge");
  const { customer, orderId, timeline } = await ordered();
  await charging.reached;
  await customer.client.cancelOrder({ orderId });
  await customer.reached(orderId, CANCELLED);
  await charging.release();
  await expect.poll(timeline, soon).toContain("CHARGE 1 SUPERSEDED");
  expect((await timeline()).filter((entry) => !entry.startsWith("CHARGE"))).toEqual([
    "PLACE 1 DONE",
    "RESERVE 1 DONE",
    "CANCEL 1 DONE CUSTOMER",
    "REFUND 1 DONE",
    "RELEASE 1 DONE",
  ]);
});

test("a compensation that fails for long keeps the first tries and the last one", async () => {
  const { customer, orderId, timeline } = await ordered();
  await customer.reached(orderId, CONFIRMED);
  market.stock.shut("before release");
  await customer.client.cancelOrder({ orderId });
  await expect.poll(timeline, soon).toContain("RELEASE 1 FAILED UNAVAILABLE");
  await market.orders.query("update orders set attempts = 29, next_step_at = now() where id = $1", [orderId]);
  await expect.poll(timeline, soon).toContain("RELEASE 30 FAILED UNAVAILABLE");
  await market.orders.query("update orders set attempts = 30, next_step_at = now() where id = $1", [orderId]);
  await expect.poll(timeline, soon).toContain("RELEASE 31 FAILED UNAVAILABLE");
  expect(await timeline()).not.toContain("RELEASE 30 FAILED UNAVAILABLE");
  expect((await timeline()).filter((entry) => entry.startsWith("REFUND"))).toEqual(["REFUND 31 DONE"]);
});

test("a compensation that is not done after a minute raises the alert", async () => {
  const overdue = async () => {
    const values = await (await fetch(`${market.served.url("order")}/metrics`)).text();
    return Number(/^order_compensations_overdue (\S+)/m.exec(values)?.[1]);
  };
  market.stock.shut("before release");
  const { customer, orderId, timeline } = await ordered("tok_declined");
  await expect.poll(timeline, soon).toContain("RELEASE 1 FAILED UNAVAILABLE");
  const before = await overdue();
  await market.orders.query("update orders set updated_at = now() - interval '61 s' where id = $1", [
    orderId,
  ]);
  expect(await overdue()).toBe(before + 1);
  market.stock.open();
  await market.orders.query("update orders set next_step_at = now() where id = $1", [orderId]);
  await customer.reached(orderId, CANCELLED);
  expect(await overdue()).toBe(before);
});

test("admins see everybody's timeline, another customer learns nothing", async () => {
  const { orderId } = await ordered();
  expect((await market.asAdmin().getOrderTimeline({ orderId })).steps.length).toBeGreaterThan(0);
  const call = market.customer().client.getOrderTimeline({ orderId });
  expect(await refusal(call)).toMatchObject({ code: Code.NotFound, reason: "ORDER_NOT_FOUND" });
});
