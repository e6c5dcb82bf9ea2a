import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
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
