/**
 * A refund that meets a charge under way, with a provider whose every call takes as long as a test says and
 * may lose its answer. Whatever interleaves, the provider's ledger nets to zero and the row agrees with it.
 */
import type { MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import { randomFrom } from "../../test/system/seeded-random.ts";
import { chargeOrder } from "./charge-order.ts";
import { findCharge } from "./find-payment.ts";
import type { PaymentProvider } from "./provider.ts";
import { ProviderUnavailableError } from "./provider.ts";
import { refundOrder } from "./refund-order.ts";
import type { PaymentParts } from "./settle-payment.ts";
import { simulatedProvider } from "./simulated-provider.ts";
import { PaymentRow, storage } from "./storage.ts";
import { checkDuePayments } from "./watch-payments.ts";

const log = createLogger("payment", "silent");
const settings = { providerTimeoutMs: 3_000, checkAfterMs: 60_000 };
let orm: MikroORM;
beforeAll(async () => {
  orm = await openDatabase(await freshDatabase("payment"), storage, log);
});
afterAll(() => orm?.close());

type Point = `${"before" | "after"} ${keyof PaymentProvider}`;

/** The simulated provider, whose calls pass `at` before and after they do their work. */
function slowProvider(at: (point: Point) => Promise<void>): PaymentProvider {
  const inner = simulatedProvider(orm);
  const around = async <T>(name: keyof PaymentProvider, work: () => Promise<T>) => {
    await at(`before ${name}`);
    const result = await work();
    await at(`after ${name}`);
    return result;
  };
  // Work that has left for a provider goes on when the caller gives up.
  const never = new AbortController().signal;
  return {
    charge: (request) => around("charge", () => inner.charge(request, never)),
    refund: (request) => around("refund", () => inner.refund(request, never)),
    find: (key) => around("find", () => inner.find(key, never)),
  };
}

function newOrder(parts: PaymentParts, token = "tok_visa") {
  const orderId = uuidv7();
  const customerId = uuidv7();
  const amount = { currencyCode: "USD", units: 12n, nanos: 0 };
  const command = { commandId: `${orderId}:charge`, orderId, customerId, amount };
  return {
    orderId,
    charge: () => reasonOr(chargeOrder(parts, command, token)),
    refund: () => reasonOr(refundOrder(parts, { orderId, customerId })),
    find: () => reasonOr(findCharge(parts, command.commandId)),
  };
}

/** Status of a payment, or the reason of a refusal. */
async function reasonOr(work: Promise<{ status: string }>): Promise<string> {
  return work.then(
    ({ status }) => status,
    (error: { reason?: string }) => error.reason ?? Promise.reject(error),
  );
}

async function ledger(orderId: string) {
  const [row] = await orm.em.fork().execute<{ charges: string; refunds: string }[]>(
    `select (select count(*) from provider_charges where key = ? and outcome = 'charged') as charges,
            (select count(*) from provider_refunds where charge_key = ?) as refunds`,
    [`${orderId}:charge`, `${orderId}:charge`],
  );
  return { charges: Number(row?.charges), refunds: Number(row?.refunds) };
}

const rowOf = (orderId: string) => orm.em.fork().findOneOrFail(PaymentRow, { orderId });

/** Runs the worker's look at an order's payment, as if its time had come. */
async function look(parts: PaymentParts, orderId: string) {
  await orm.em
    .fork()
    .nativeUpdate(PaymentRow, { orderId, nextCheckAt: { $ne: null } }, { nextCheckAt: new Date(0) });
  await checkDuePayments(parts, log, new AbortController().signal);
}

/** A provider that stops at one point until it is released. */
function stopAt(stop: Point, then: () => void = () => {}) {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let stopped = false;
  const provider = slowProvider(async (point) => {
    if (point !== stop || stopped) return;
    stopped = true;
    reached.resolve();
    await released.promise;
    then();
  });
  return { parts: { orm, provider, settings }, reached: reached.promise, release: released.resolve };
}

test("a charge that has not reached the provider yet is given back by its own call when it lands", async () => {
  const { parts, reached, release } = stopAt("before charge");
  const order = newOrder(parts);
  const charging = order.charge();
  await reached;
  expect(await order.refund()).toBe("VOIDED");
  release();
  expect(await charging).toBe("PAYMENT_VOIDED");
  expect(await rowOf(order.orderId)).toMatchObject({ status: "REFUNDED", nextCheckAt: null });
  expect(await ledger(order.orderId)).toEqual({ charges: 1, refunds: 1 });
});

test("a charge whose answer is on its way is given back by the refund", async () => {
  const { parts, reached, release } = stopAt("after charge");
  const order = newOrder(parts);
  const charging = order.charge();
  await reached;
  expect(await order.refund()).toBe("REFUNDED");
  release();
  expect(await charging).toBe("PAYMENT_VOIDED");
  expect(await ledger(order.orderId)).toEqual({ charges: 1, refunds: 1 });
});

test("a charge that lands after its process died and the refund has looked is given back by the worker", async () => {
  const lost = () => {
    throw new ProviderUnavailableError("the connection is gone");
  };
  const { parts, reached, release } = stopAt("before charge");
  const dying = newOrder({ ...parts, settings: { ...settings, providerTimeoutMs: 100 } });
  const charging = dying.charge();
  await reached;
  expect(await charging).toBe("PROVIDER_UNAVAILABLE"); // its caller has given up; the request is under way
  expect(await dying.refund()).toBe("VOIDED");
  release();
  await expect.poll(() => ledger(dying.orderId)).toEqual({ charges: 1, refunds: 0 });
  await look(parts, dying.orderId);
  expect(await ledger(dying.orderId)).toEqual({ charges: 1, refunds: 1 });

  const answerLost = stopAt("after charge", lost);
  const order = newOrder(answerLost.parts);
  const charge = order.charge();
  await answerLost.reached;
  answerLost.release();
  expect(await charge).toBe("PROVIDER_UNAVAILABLE");
  expect(await order.refund()).toBe("REFUNDED");
  expect(await ledger(order.orderId)).toEqual({ charges: 1, refunds: 1 });
});

test("a refund that died half way is finished by the worker", async () => {
  const { parts, reached, release } = stopAt("before refund", () => {
    throw new ProviderUnavailableError("the connection is gone");
  });
  const order = newOrder(parts);
  await order.charge();
  const refunding = order.refund();
  await reached;
  release();
  expect(await refunding).toBe("PROVIDER_UNAVAILABLE");
  expect(await order.charge()).toBe("PAYMENT_VOIDED");
  await look(parts, order.orderId);
  expect(await rowOf(order.orderId)).toMatchObject({ status: "REFUNDED", nextCheckAt: null });
  expect(await ledger(order.orderId)).toEqual({ charges: 1, refunds: 1 });
});

/** Two charges, two refunds, a query and two looks of the worker, at times and with losses drawn from the seed. */
async function raceOnce(seed: number) {
  const random = randomFrom(seed);
  const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, random() * ms));
  const provider = slowProvider(async () => {
    await after(8);
    if (random() < 0.1) throw new ProviderUnavailableError("lost on the way there or back");
  });
  const parts = { orm, provider, settings };
  const order = newOrder(parts, random() < 0.2 ? "tok_declined" : "tok_visa");
  const acts: (() => Promise<unknown>)[] = [
    order.charge,
    order.charge,
    order.refund,
    order.refund,
    order.find,
  ];
  const looks = [1, 2].map(() => () => look(parts, order.orderId));
  await Promise.all([...acts, ...looks].map((act) => after(20).then(() => act())));

  // The last word: order repeats its refund until it has an answer.
  const calm = { orm, provider: simulatedProvider(orm), settings };
  const { customerId } = await rowOf(order.orderId);
  await refundOrder(calm, { orderId: order.orderId, customerId });
  await look(calm, order.orderId);
  const { status } = await rowOf(order.orderId);
  const { charges, refunds } = await ledger(order.orderId);
  return { seed, status, charges, refunds };
}

test("whatever interleaves, an order that is refunded costs nothing and its row says what happened", async () => {
  const results = [];
  const first = Number(process.env.RACE_SEED ?? 1);
  const count = Number(process.env.RACE_COUNT ?? 120);
  for (let seed = first; seed < first + count; seed += 6) {
    const seeds = Array.from({ length: 6 }, (_, offset) => seed + offset);
    results.push(...(await Promise.all(seeds.map(raceOnce))));
  }
  for (const { seed, status, charges, refunds } of results) {
    const expected = charges === 1 ? ["REFUNDED"] : ["VOIDED", "DECLINED"];
    expect(expected, `seed ${seed}`).toContain(status);
    expect(refunds, `seed ${seed}`).toBe(charges);
  }
  // The seeds reach every end.
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["REFUNDED", "VOIDED", "DECLINED"]));
});
