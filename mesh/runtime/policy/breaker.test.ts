import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ServiceError, toStatus } from "../rpc/errors.ts";
import { createGuard } from "./breaker.ts";
import { policyOf } from "./method-policy.ts";
import { libraryMethod } from "./testdata/library-method.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("however long an upstream was away, calls pass again within 5 s of its return", async () => {
  const guard = createGuard("library/FindBook", policyOf(libraryMethod({})));
  const away = () => guard.run(() => Promise.reject(new ConnectError("away", Code.Unavailable)));
  for (let second = 0; second < 120; second++) {
    for (let call = 0; call < 10; call++) {
      await away().catch(() => {});
      vi.advanceTimersByTime(100);
    }
  }
  for (let probed = false; !probed; vi.advanceTimersByTime(100)) {
    // The worst moment to return is just after a probe.
    const probe = () => {
      probed = true;
      return Promise.reject(new ConnectError("away", Code.Unavailable));
    };
    await guard.run(probe).catch(() => {});
  }
  let waited = 0;
  for (; waited < 5_000 && guard.state !== "closed"; waited += 100) {
    vi.advanceTimersByTime(100);
    await guard.run(async () => "found").catch(() => {});
  }
  expect(guard.state).toBe("closed");
});

const unavailable = () => Promise.reject(new ConnectError("away", Code.Unavailable));

test("an upstream that was well and goes down is not called any more within 2 s", async () => {
  const guard = createGuard("library/FindBook", policyOf(libraryMethod({})));
  const every100ms = async (milliseconds: number, call: () => Promise<unknown>) => {
    for (let at = 0; at < milliseconds && guard.state === "closed"; at += 100) {
      await guard.run(call).catch(() => {});
      vi.advanceTimersByTime(100);
    }
  };
  await every100ms(20_000, async () => "found");
  await every100ms(2_000, unavailable);
  expect(guard.state).toBe("open");
  expect(guard.opened).toBe(1);
});

test("ten calls in flight that fail together do not open it", async () => {
  const guard = createGuard("library/FindBook", policyOf(libraryMethod({})));
  await Promise.all(Array.from({ length: 10 }, () => guard.run(unavailable).catch(() => {})));
  expect(guard.state).toBe("closed");
});

test("one call in ten that fails never opens it", async () => {
  const guard = createGuard("library/FindBook", policyOf(libraryMethod({})));
  for (let call = 0; call < 3_000; call++) {
    await guard.run(call % 10 === 0 ? unavailable : async () => "found").catch(() => {});
    vi.advanceTimersByTime(20);
  }
  expect(guard.opened).toBe(0);
});

test.for([
  ["what is not found", () => new ConnectError("no", Code.NotFound), undefined],
  ["a caller's own impatience", () => new ConnectError("late", Code.DeadlineExceeded), 50],
  [
    "load that the upstream gives up",
    () => toStatus(new ServiceError(Code.ResourceExhausted, "OVERLOADED", "too much"), "library.v1"),
    undefined,
  ],
] as const)("%s says nothing of the upstream's health", async ([, error, timeoutMs]) => {
  const guard = createGuard("library/FindBook", policyOf(libraryMethod({})));
  for (let call = 0; call < 100; call++) {
    await expect(guard.run(() => Promise.reject(error()), timeoutMs)).rejects.toBeInstanceOf(ConnectError);
    vi.advanceTimersByTime(50);
  }
  expect(guard.opened).toBe(0);
});

test("what it refuses is counted", async () => {
  const changes: string[] = [];
  const guard = createGuard("library/FindBook", policyOf(libraryMethod({})), (state) => changes.push(state));
  for (let call = 0; call < 20; call++) {
    await guard.run(unavailable).catch(() => {});
    vi.advanceTimersByTime(100);
  }
  expect(guard.rejectedOpen).toBeGreaterThan(0);
  expect(changes).toEqual(["open"]);
});
