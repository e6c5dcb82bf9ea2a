/** Charges and refunds through the contract. The provider's ledger is read beside it: it is the truth. */
import { Code, type ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Payment_Status, PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { payment } from "./service.ts";

const { PENDING, CHARGED, DECLINED, REFUNDED, VOIDED } = Payment_Status;
/** Long enough for the provider on a busy machine, shorter than a call may take. */
const timeoutMs = 2_000;
let served: Served;
let database: pg.Client;
beforeAll(async () => {
  served = await serve([payment], {
    env: { PAYMENT_PROVIDER_TIMEOUT_MS: String(timeoutMs), PAYMENT_CHECK_AFTER_MS: "60000" },
  });
  database = new pg.Client({ connectionString: served.database("payment") });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
});

const asOrder = () => served.client(PaymentService, { caller: "order" });
const amount = { currencyCode: "USD", units: 12n, nanos: 900_000_000 };

function newOrder(paymentToken = "tok_visa") {
  const orderId = uuidv7();
  const customerId = uuidv7();
  const charge = { commandId: `${orderId}:charge`, orderId, customerId, amount, paymentToken };
  return { orderId, charge, refund: { commandId: `${orderId}:refund`, orderId, customerId } };
}

/** Charges and refunds of an order at the provider. */
async function ledger({ charge }: { charge: { commandId: string } }) {
  const count = async (sql: string) => Number((await database.query(sql, [charge.commandId])).rows[0].count);
  return {
    charges: await count("select count(*) from provider_charges where key = $1 and outcome = 'charged'"),
    refunds: await count("select count(*) from provider_refunds where charge_key = $1"),
  };
}

async function refusal(call: Promise<unknown>) {
  const error = (await call.then(
    () => expect.fail("the call was not refused"),
    (error: unknown) => error,
  )) as ConnectError;
  return { code: error.code, reason: reasonOf(error) };
}

const unavailable = { code: Code.Unavailable, reason: "PROVIDER_UNAVAILABLE" };
const voided = { code: Code.FailedPrecondition, reason: "PAYMENT_VOIDED" };
const mismatch = { code: Code.InvalidArgument, reason: "COMMAND_MISMATCH" };

test("a charge is made once, however often it is repeated", async () => {
  const order = newOrder();
  const first = await asOrder().charge(order.charge);
  expect(first).toMatchObject({ orderId: order.orderId, status: CHARGED, amount, declineCode: "" });
  expect(await asOrder().charge(order.charge)).toEqual(first);
  expect(await asOrder().getCharge({ commandId: order.charge.commandId })).toEqual(first);
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 0 });
});

test("a card that is declined is an answer, not an error, and stays declined", async () => {
  const order = newOrder("tok_declined");
  for (let count = 0; count < 2; count++) {
    const reply = await asOrder().charge(order.charge);
    expect(reply).toMatchObject({ status: DECLINED, declineCode: "card_declined" });
  }
  expect(await asOrder().refund(order.refund)).toMatchObject({ status: DECLINED });
  expect(await asOrder().charge(order.charge)).toMatchObject({ status: DECLINED });
  expect(await ledger(order)).toEqual({ charges: 0, refunds: 0 });
});

test("an unknown token is declined", async () => {
  const reply = await asOrder().charge(newOrder("tok_whatever").charge);
  expect(reply).toMatchObject({ status: DECLINED, declineCode: "unknown_token" });
});

test("a provider that is away at first is asked again by the caller's repeats", async () => {
  const order = newOrder("tok_flaky");
  expect(await refusal(asOrder().charge(order.charge))).toEqual(unavailable);
  expect(await asOrder().getCharge({ commandId: order.charge.commandId })).toMatchObject({ status: PENDING });
  expect(await refusal(asOrder().charge(order.charge))).toEqual(unavailable);
  expect(await asOrder().charge(order.charge)).toMatchObject({ status: CHARGED });
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 0 });
});

test("an answer that never comes ends before the call's time is over, and the outcome is learnt by key", async () => {
  const order = newOrder("tok_timeout");
  expect(await refusal(asOrder().charge(order.charge))).toEqual(unavailable);
  expect(await asOrder().getCharge({ commandId: order.charge.commandId })).toMatchObject({ status: CHARGED });
  expect(await asOrder().charge(order.charge)).toMatchObject({ status: CHARGED });
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 0 });
});

test("a repeat of a charge with unknown outcome finds it instead of charging again", async () => {
  const order = newOrder("tok_timeout");
  await refusal(asOrder().charge(order.charge));
  expect(await asOrder().charge(order.charge)).toMatchObject({ status: CHARGED });
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 0 });
});

test("concurrent repeats charge once and answer alike", async () => {
  // Several orders: the second call has many moments at which it may meet the first one's commit.
  for (const order of Array.from({ length: 12 }, newOrder)) {
    const replies = await Promise.all(Array.from({ length: 12 }, () => asOrder().charge(order.charge)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([CHARGED]));
    expect(await ledger(order)).toEqual({ charges: 1, refunds: 0 });
  }
});

test("a command that is used for something else is refused", async () => {
  const order = newOrder();
  await asOrder().charge(order.charge);
  const other = newOrder();
  const dearer = { ...amount, units: 13n };
  const calls = [
    { ...order.charge, amount: dearer },
    { ...order.charge, customerId: other.charge.customerId },
    { ...order.charge, orderId: other.orderId },
    { ...order.charge, commandId: `${order.orderId}:charge-2` },
  ];
  for (const call of calls) expect(await refusal(asOrder().charge(call))).toEqual(mismatch);
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 0 });
});

test("a refund gives a charge back once, and nothing is charged afterwards", async () => {
  const order = newOrder();
  await asOrder().charge(order.charge);
  for (let count = 0; count < 2; count++)
    expect(await asOrder().refund(order.refund)).toMatchObject({ status: REFUNDED, amount });
  expect(await refusal(asOrder().charge(order.charge))).toEqual(voided);
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 1 });
});

test("a refund before any charge shuts the door", async () => {
  const order = newOrder();
  for (let count = 0; count < 2; count++) {
    const reply = await asOrder().refund(order.refund);
    expect([reply.status, reply.amount]).toEqual([VOIDED, undefined]);
  }
  expect(await refusal(asOrder().charge(order.charge))).toEqual(voided);
  expect(await refusal(asOrder().getCharge({ commandId: order.charge.commandId }))).toMatchObject({
    code: Code.NotFound,
  });
  expect(await ledger(order)).toEqual({ charges: 0, refunds: 0 });
});

test("a refund of a charge with unknown outcome asks the provider first", async () => {
  const made = newOrder("tok_timeout");
  await refusal(asOrder().charge(made.charge));
  expect(await asOrder().refund(made.refund)).toMatchObject({ status: REFUNDED });
  expect(await ledger(made)).toEqual({ charges: 1, refunds: 1 });

  const notMade = newOrder("tok_flaky");
  await refusal(asOrder().charge(notMade.charge));
  expect(await asOrder().refund(notMade.refund)).toMatchObject({ status: VOIDED });
  expect(await refusal(asOrder().charge(notMade.charge))).toEqual(voided);
  expect(await ledger(notMade)).toEqual({ charges: 0, refunds: 0 });
});

async function statusOf(orderId: string) {
  return (await database.query("select status from payments where order_id = $1", [orderId])).rows[0]?.status;
}

/** Lets the worker look at a payment now. */
async function check(orderId: string) {
  await database.query("update payments set next_check_at = now() where order_id = $1", [orderId]);
}

const soon = { timeout: 60_000, interval: 20 };

test("a payment whose process died before it stored the outcome is settled by the worker", async () => {
  for (const [token, status] of [
    ["tok_visa", "CHARGED"],
    ["tok_declined", "DECLINED"],
  ] as const) {
    const { charge, orderId } = newOrder(token);
    await asOrder().charge(charge);
    await database.query("update payments set status = 'PENDING', decline_code = '' where order_id = $1", [
      orderId,
    ]);
    await check(orderId);
    await vi.waitFor(async () => expect(await statusOf(orderId)).toBe(status), soon);
  }
});

test("a charge that turns up at the provider after the refund is given back by the worker", async () => {
  const order = newOrder("tok_flaky");
  await refusal(asOrder().charge(order.charge));
  expect(await asOrder().refund(order.refund)).toMatchObject({ status: VOIDED });
  await database.query(
    "insert into provider_charges (key, outcome, decline_code, sum) values ($1, 'charged', '', '')",
    [order.charge.commandId],
  );
  await check(order.orderId);
  await vi.waitFor(async () => expect(await statusOf(order.orderId)).toBe("REFUNDED"), soon);
  expect(await ledger(order)).toEqual({ charges: 1, refunds: 1 });
});

test("an order's payment is shown to its customer and to admins; others learn nothing", async () => {
  const { orderId, charge } = newOrder();
  await asOrder().charge(charge);
  const ask = (id: string, roles: string[], order = orderId) =>
    served.client(PaymentService, { user: { id, roles } }).getOrderPayment({ orderId: order });
  const mine = await ask(charge.customerId, ["customer"]);
  expect(mine).toMatchObject({ orderId, status: CHARGED, amount });
  expect(await ask(uuidv7(), ["admin"])).toEqual(mine);
  const notFound = await refusal(ask(uuidv7(), ["customer"]));
  expect(notFound).toEqual({ code: Code.NotFound, reason: "PAYMENT_NOT_FOUND" });
  expect(await refusal(ask(charge.customerId, ["customer"], uuidv7()))).toEqual(notFound);
});

test("nobody but order moves money", async () => {
  const { charge, refund } = newOrder();
  const denied = { code: Code.PermissionDenied, reason: "CALLER_DENIED" };
  for (const caller of ["edge", "product", "stranger"]) {
    const client = served.client(PaymentService, { caller, user: { id: uuidv7(), roles: ["admin"] } });
    expect(await refusal(client.charge(charge))).toEqual(denied);
    expect(await refusal(client.refund(refund))).toEqual(denied);
  }
});

test("no payment token is stored anywhere", async () => {
  await asOrder().charge(newOrder("tok_secret_1234").charge);
  const { rows } = await database.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public'",
  );
  expect(rows.length).toBeGreaterThan(3);
  for (const { name } of rows) {
    const found = await database.query(`select 1 from "${name}" t where t::text like '%tok\\_%'`);
    expect(found.rowCount, name).toBe(0);
  }
});
