import { expect, test, vi } from "vitest";
import { UpstreamGuard } from "./upstream-guard.ts";

const breaker = { ratio: 0.5, minimumRps: 5, windowMs: 10_000, openMs: 1_000, maxOpenMs: 4_000 };

function guarded(edgeConcurrency = 100) {
  const changes: string[] = [];
  const guard = new UpstreamGuard({ breaker, edgeConcurrency, timeoutMs: 2_000 }, (state) =>
    changes.push(state),
  );
  const call = (health: "good" | "bad" | "unknown", now = 0) => {
    const answer = guard.enter(now);
    if (answer === "go") guard.leave(health, now);
    return answer;
  };
  return { guard, changes, call };
}

test("it opens when more than half of enough calls fail, and then nobody goes", () => {
  const { call, changes } = guarded();
  for (let i = 0; i < 49; i++) expect(call("bad")).toBe("go");
  expect(changes).toEqual([]);
  call("bad");
  expect(changes).toEqual(["open"]);
  expect(call("good", 10)).toBe("open");
});

test("one in ten that fails never opens it", () => {
  const { call, changes } = guarded();
  for (let i = 0; i < 5_000; i++) call(i % 10 === 0 ? "bad" : "good");
  expect(changes).toEqual([]);
});

test("calls that clients gave up say nothing", () => {
  const { call, changes } = guarded();
  for (let i = 0; i < 5_000; i++) call("unknown");
  expect(changes).toEqual([]);
});

test("after a while one probe goes; its success closes it", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const { guard, call, changes } = guarded();
  for (let i = 0; i < 50; i++) call("bad");
  expect(call("good", 999)).toBe("open");
  expect(guard.enter(1_000)).toBe("go");
  expect(guard.enter(1_000)).toBe("open");
  guard.leave("good", 1_001);
  expect(changes).toEqual(["open", "closed"]);
  expect(call("good", 1_002)).toBe("go");
});

test("each failed probe doubles the wait, up to the most", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const { guard, call } = guarded();
  for (let i = 0; i < 50; i++) call("bad");
  let now = 0;
  for (const wait of [1_000, 2_000, 4_000, 4_000]) {
    expect(guard.waitMs(now)).toBe(wait);
    now += wait;
    expect(call("bad", now)).toBe("go");
  }
});

test("a probe that nobody waited for does not keep it closed for ever", () => {
  const { call, changes } = guarded();
  for (let i = 0; i < 50; i++) call("bad");
  expect(call("unknown", 1_000)).toBe("go");
  expect(call("good", 1_000)).toBe("go");
  expect(changes).toEqual(["open", "closed"]);
});

test("no more calls than the limit are in flight", () => {
  const { guard } = guarded(2);
  expect([guard.enter(0), guard.enter(0), guard.enter(0)]).toEqual(["go", "go", "full"]);
  guard.leave("good", 0);
  expect(guard.enter(0)).toBe("go");
});
