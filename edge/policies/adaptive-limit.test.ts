import { expect, test } from "vitest";
import { AdaptiveLimit } from "./adaptive-limit.ts";

/**
 * An upstream that does `perSecond` calls a second one after the other, each in `ownMs` at least, under `offered`
 * calls a second for `seconds`; what comes above the limit is refused.
 */
function load(
  limit: AdaptiveLimit,
  { perSecond, ownMs = 5, offered, seconds, from = 0 }: Record<string, number> & { offered: number },
) {
  const inFlight: { startedAt: number; endsAt: number }[] = [];
  const times: number[] = [];
  let free = from;
  let refused = 0;
  const until = from + seconds! * 1_000;
  for (let now = from; now < until; now += 1_000 / offered) {
    while (inFlight[0] && inFlight[0].endsAt <= now) {
      const { startedAt, endsAt } = inFlight.shift()!;
      limit.ended(startedAt, endsAt);
      times.push(endsAt - startedAt);
    }
    if (inFlight.length >= limit.value) {
      refused++;
      continue;
    }
    free = Math.max(now, free) + 1_000 / perSecond!;
    inFlight.push({ startedAt: now, endsAt: free + ownMs });
    limit.began(inFlight.length);
  }
  return { done: times.length, refused, last: times.slice(-50), ends: until };
}

test("under less than the upstream can do nothing is refused and the limit stays", () => {
  const limit = new AdaptiveLimit(512, 100, 500);
  expect(load(limit, { perSecond: 200, offered: 150, seconds: 60 }).refused).toBe(0);
  expect(limit.value).toBe(512);
});

test.each([1.5, 3, 10])(
  "under %s times as much, as much is done as can be, in about the time aimed at",
  (times) => {
    const limit = new AdaptiveLimit(512, 100, 500);
    const { done, last } = load(limit, { perSecond: 200, offered: 200 * times, seconds: 30 });
    expect(done).toBeGreaterThan(200 * 30 * 0.95);
    expect(Math.max(...last)).toBeLessThan(750);
    expect(Math.min(...last)).toBeGreaterThan(250);
  },
);

test("when the load goes the limit no longer matters, and it grows as it is used", () => {
  const limit = new AdaptiveLimit(512, 100, 500);
  const { ends } = load(limit, { perSecond: 200, offered: 600, seconds: 30 });
  const low = limit.value;
  expect(low).toBeLessThan(150);
  expect(load(limit, { perSecond: 200, offered: 140, seconds: 10, from: ends + 2_000 }).refused).toBe(0);
  load(limit, { perSecond: 2_000, offered: 1_900, ownMs: 100, seconds: 10, from: ends + 20_000 });
  expect(limit.value).toBeGreaterThan(180);
});

test("it stays above what a slow upstream without a queue needs, and within the contract's", () => {
  const slow = new AdaptiveLimit(512, 100, 500);
  load(slow, { perSecond: 1e6, ownMs: 2_000, offered: 300, seconds: 60 });
  expect(slow.value).toBe(16);
  const steady = new AdaptiveLimit(512, 100, 500);
  expect(load(steady, { perSecond: 1e6, ownMs: 300, offered: 300, seconds: 60 }).refused).toBe(0);
  const small = new AdaptiveLimit(4, 100, 500);
  load(small, { perSecond: 2, offered: 50, seconds: 60 });
  expect(small.value).toBe(4);
});

test("calls that began before a change do not change it again", () => {
  const limit = new AdaptiveLimit(100, 100, 500);
  limit.began(100);
  for (let i = 0; i < 100; i++) limit.ended(0, 1_000);
  expect(limit.value).toBe(50);
});

test("time that is this process's own does not count", () => {
  const limit = new AdaptiveLimit(100, 100, 500);
  for (let i = 0; i < 100; i++) {
    limit.began(100);
    limit.ended(i * 10, i * 10 + 1_000, 800);
  }
  expect(limit.value).toBe(100);
});
