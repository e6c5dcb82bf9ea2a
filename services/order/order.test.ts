import fc from "fast-check";
import { expect, test } from "vitest";
import { type Money, sum, times } from "./money.ts";
import {
  backoffMs,
  isSettled,
  moveTo,
  type OrderState,
  type Status,
  stepTimeoutMs,
  totalOf,
} from "./order.ts";

const now = new Date("2026-01-01T00:00:00Z");
const orderIn = (status: Status): OrderState => ({
  status,
  cancelReason: status === "COMPENSATING" || status === "CANCELLED" ? "REQUESTED" : null,
  version: 7n,
  attempts: 3,
  nextStepAt: now,
  stepDeadline: now,
  updatedAt: now,
});
const usd = (units: string, nanos = 0): Money => ({ currencyCode: "USD", units, nanos });

test("the way to a confirmed order", () => {
  const order = orderIn("PENDING");
  for (const status of ["RESERVED", "PAID", "CONFIRMED"] as const) moveTo(order, status, now);
  expect(order).toMatchObject({
    status: "CONFIRMED",
    version: 10n,
    attempts: 0,
    nextStepAt: null,
    stepDeadline: null,
  });
});

test("every status but the last can be compensated, and only with a reason", () => {
  for (const status of ["PENDING", "RESERVED", "PAID", "CONFIRMED"] as const) {
    const order = orderIn(status);
    moveTo(order, "COMPENSATING", now, "REQUESTED");
    expect(order).toMatchObject({ status: "COMPENSATING", cancelReason: "REQUESTED", stepDeadline: null });
    expect(() => moveTo(orderIn(status), "COMPENSATING", now)).toThrow("reason");
  }
  expect(() => moveTo(orderIn("CANCELLED"), "COMPENSATING", now, "REQUESTED")).toThrow();
});

test("no step is skipped and none goes back", () => {
  const all: Status[] = ["PENDING", "RESERVED", "PAID", "CONFIRMED", "COMPENSATING", "CANCELLED"];
  const allowed = new Set(["PENDING>RESERVED", "RESERVED>PAID", "PAID>CONFIRMED", "COMPENSATING>CANCELLED"]);
  for (const from of all) {
    for (const to of all.filter((status) => status !== "COMPENSATING" && !allowed.has(`${from}>${status}`))) {
      expect(() => moveTo(orderIn(from), to, now), `${from}>${to}`).toThrow(`from ${from} to ${to}`);
    }
  }
});

test("a step forward has a deadline, a settled order has nothing ahead", () => {
  const order = orderIn("PENDING");
  moveTo(order, "RESERVED", now);
  expect(order.stepDeadline).toEqual(new Date(now.getTime() + stepTimeoutMs));
  expect(isSettled("CONFIRMED") && isSettled("CANCELLED")).toBe(true);
});

test("waits between tries grow to a cap, which is higher for giving back", () => {
  expect(backoffMs("PENDING", 1, 0)).toBe(100);
  expect(backoffMs("PENDING", 60, 0.999)).toBeLessThanOrEqual(3_000);
  expect(backoffMs("COMPENSATING", 60, 0.999)).toBeGreaterThan(10_000);
  expect(backoffMs("COMPENSATING", 60, 0.999)).toBeLessThanOrEqual(15_000);
});

test("sums are exact in nanos and carry over", () => {
  expect(times(usd("0", 999_999_999), 3)).toEqual(usd("2", 999_999_997));
  expect(sum([usd("9007199254740993"), usd("0", 1)])).toEqual(usd("9007199254740993", 1));
  expect(() => sum([usd("1"), { ...usd("1"), currencyCode: "EUR" }])).toThrow("currency");
});

test("the total is the sum of price times quantity", () => {
  const line = fc.record({
    cents: fc.integer({ min: 0, max: 10_000_00 }),
    quantity: fc.integer({ min: 1, max: 10_000 }),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 50 }), (lines) => {
      const [first, ...rest] = lines.map(({ cents, quantity }) => ({
        productId: "p",
        productName: "P",
        quantity,
        unitPrice: usd(String(Math.trunc(cents / 100)), (cents % 100) * 10_000_000),
      }));
      const total = totalOf([first as NonNullable<typeof first>, ...rest]);
      const cents = lines.reduce((all, { cents, quantity }) => all + BigInt(cents) * BigInt(quantity), 0n);
      expect(BigInt(total.units) * 100n + BigInt(total.nanos / 10_000_000)).toBe(cents);
    }),
  );
});
