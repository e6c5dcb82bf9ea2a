import { expect, test } from "vitest";
import { MemoryRateLimits } from "./rate-limit-store.ts";

const oneASecond = { intervalMs: 1_000, burst: 1 };

test("each key has its own share", () => {
  const store = new MemoryRateLimits();
  expect(store.take(oneASecond, "ann", 0).allowed).toBe(true);
  expect(store.take(oneASecond, "ann", 0).allowed).toBe(false);
  expect(store.take(oneASecond, "bob", 0).allowed).toBe(true);
});

test("a million senders take no more room than the bound, and who sends on is not forgotten", () => {
  const store = new MemoryRateLimits(1_000);
  store.take(oneASecond, "busy", 0);
  for (let i = 0; i < 1_000_000; i++) {
    store.take({ intervalMs: 1e9, burst: 1 }, `sender ${i}`, 0);
    if (i % 500 === 0) store.take(oneASecond, "busy", 0);
  }
  expect(store.size).toBeLessThanOrEqual(1_000);
  expect(store.take(oneASecond, "busy", 0).allowed).toBe(false);
});

test("keys whose time is over make room by themselves", () => {
  const store = new MemoryRateLimits();
  for (let i = 0; i < 10_000; i++) store.take(oneASecond, `sender ${i}`, 0);
  for (let i = 0; i < 5_000; i++) store.take(oneASecond, `later ${i}`, 10_000);
  expect(store.size).toBeLessThan(5_100);
});
