import { expect, test } from "vitest";
import {
  type ChargeCommand,
  checkCommand,
  checkNotVoided,
  isOpen,
  learn,
  learnRefund,
  owesRefund,
  type PaymentState,
  type PaymentStatus,
} from "./payment.ts";
import type { ChargeOutcome } from "./provider.ts";

const asked = new Date("2026-01-01T00:00:00Z");
const now = new Date("2026-01-01T00:00:02Z");
const clock = { now, checkAfterMs: 10_000 };
const charged: ChargeOutcome = { outcome: "charged" };
const declined: ChargeOutcome = { outcome: "declined", declineCode: "card_declined" };
const command: ChargeCommand = {
  commandId: "o:charge",
  orderId: "o",
  customerId: "c",
  amount: { currencyCode: "USD", units: 5n, nanos: 0 },
};

function payment(status: PaymentStatus, refundRequested = false): PaymentState {
  return {
    ...command.amount,
    orderId: "o",
    customerId: "c",
    commandId: "o:charge",
    status,
    refundRequested,
    declineCode: "",
    askedAt: asked,
    nextCheckAt: asked,
    updatedAt: asked,
  };
}

test.each<[PaymentStatus, boolean, string, ChargeOutcome | undefined, PaymentStatus]>([
  ["PENDING", false, "charged", charged, "CHARGED"],
  ["PENDING", false, "declined", declined, "DECLINED"],
  ["PENDING", false, "unknown", undefined, "PENDING"],
  ["PENDING", true, "charged", charged, "CHARGED"],
  ["PENDING", true, "declined", declined, "DECLINED"],
  ["PENDING", true, "unknown", undefined, "VOIDED"],
  ["VOIDED", true, "charged", charged, "CHARGED"],
  ["VOIDED", true, "declined", declined, "VOIDED"],
  ["VOIDED", true, "unknown", undefined, "VOIDED"],
  ["CHARGED", false, "charged", charged, "CHARGED"],
  ["CHARGED", true, "unknown", undefined, "CHARGED"],
  ["REFUNDED", true, "charged", charged, "REFUNDED"],
  ["DECLINED", true, "declined", declined, "DECLINED"],
])("%s (refund requested: %s) becomes, when the provider says %s, ...", (from, requested, _, outcome, to) => {
  const state = payment(from, requested);
  learn(state, outcome, clock);
  expect(state.status).toBe(to);
  expect(state.updatedAt).toEqual(from === to ? asked : now);
});

test("as long as there is something to learn or to give back, there is a time to look", () => {
  for (const status of ["PENDING", "CHARGED", "DECLINED", "REFUNDED", "VOIDED"] as const)
    for (const requested of [true, false])
      for (const outcome of [charged, declined, undefined]) {
        const state = payment(status, requested);
        learn(state, outcome, clock);
        if (owesRefund(state) || state.status === "PENDING") expect(state.nextCheckAt).not.toBeNull();
        if (state.status === "DECLINED" || state.status === "REFUNDED") expect(state.nextCheckAt).toBeNull();
      }
});

test("the pause between two looks grows with the age of the charge, up to an hour", () => {
  const pauseAt = (ageMs: number) => {
    const state = payment("PENDING");
    const at = new Date(asked.getTime() + ageMs);
    learn(state, undefined, { now: at, checkAfterMs: 10_000 });
    return (state.nextCheckAt?.getTime() ?? 0) - at.getTime();
  };
  expect([0, 20_000, 10_000_000].map(pauseAt)).toEqual([10_000, 20_000, 3_600_000]);
});

test("a voided charge is looked for until ten minutes after the provider was asked", () => {
  const lookAt = (ageMs: number) => {
    const state = payment("VOIDED", true);
    learn(state, undefined, { now: new Date(asked.getTime() + ageMs), checkAfterMs: 10_000 });
    return isOpen(state);
  };
  expect([1_000, 599_000, 601_000].map(lookAt)).toEqual([true, true, false]);
});

test("only a charge can be given back", () => {
  for (const status of ["PENDING", "DECLINED", "VOIDED"] as const) {
    const state = payment(status, true);
    learnRefund(state, now);
    expect(state.status).toBe(status);
  }
  const state = payment("CHARGED", true);
  learnRefund(state, now);
  expect(state).toMatchObject({ status: "REFUNDED", nextCheckAt: null });
});

test("a command that differs from the one on record is refused, naming what differs", () => {
  const differs = (change: Partial<ChargeCommand>) => {
    try {
      checkCommand(payment("CHARGED"), { ...command, ...change });
    } catch (error) {
      return (error as { fields: { field: string }[] }).fields[0]?.field;
    }
    return undefined;
  };
  const { amount } = command;
  expect(differs({})).toBeUndefined();
  expect(differs({ commandId: "x" })).toBe("command_id");
  expect(differs({ orderId: "x" })).toBe("order_id");
  expect(differs({ customerId: "x" })).toBe("customer_id");
  expect(differs({ amount: { ...amount, units: 6n } })).toBe("amount");
  expect(differs({ amount: { ...amount, nanos: 1 } })).toBe("amount");
  expect(differs({ amount: { ...amount, currencyCode: "EUR" } })).toBe("amount");
});

test("nothing is charged once a refund is requested; a declined charge keeps its outcome", () => {
  for (const status of ["PENDING", "CHARGED", "REFUNDED", "VOIDED"] as const)
    expect(() => checkNotVoided(payment(status, true))).toThrow(
      expect.objectContaining({ reason: "PAYMENT_VOIDED" }),
    );
  checkNotVoided(payment("DECLINED", true));
  checkNotVoided(payment("PENDING"));
});
