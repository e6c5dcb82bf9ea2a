import fc from "fast-check";
import { expect, test } from "vitest";
import { decide, type Gcra } from "./gcra.ts";

const tenASecond: Gcra = { intervalMs: 100, burst: 3 };

/** Requests at the given times; tells which were let in. */
function admitted(limit: Gcra, times: readonly number[]): number[] {
  let tat: number | undefined;
  return times.filter((time) => {
    const decision = decide(limit, tat, time);
    tat = decision.tat;
    return decision.allowed;
  });
}

test("a burst passes at once, then an even flow", () => {
  expect(admitted(tenASecond, [0, 0, 0, 0, 99, 100, 150, 200])).toEqual([0, 0, 0, 100, 200]);
});

test("a refusal says when to come again, and coming then works", () => {
  let tat: number | undefined;
  for (let i = 0; i < 3; i++) tat = decide(tenASecond, tat, 1_000).tat;
  const refused = decide(tenASecond, tat, 1_030);
  expect(refused).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 70, resetMs: 270 });
  expect(decide(tenASecond, refused.tat, 1_030 + refused.retryAfterMs).allowed).toBe(true);
});

test("what remains is told, and comes back with time", () => {
  const first = decide(tenASecond, undefined, 0);
  expect(first).toMatchObject({ remaining: 2, resetMs: 100 });
  expect(decide(tenASecond, first.tat, 50).remaining).toBe(1);
  expect(decide(tenASecond, first.tat, 100).remaining).toBe(2);
});

test("no window sees more than the burst and the flow, whatever comes", () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 80 });
  const limits = fc.record({
    intervalMs: fc.constantFrom(1, 7, 100, 1_000 / 3),
    burst: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(limits, arrivals, (limit, gaps) => {
      let time = 0;
      const times = admitted(
        limit,
        gaps.map((gap) => (time += gap)),
      );
      for (let from = 0; from < times.length; from++) {
        for (let to = from; to < times.length; to++) {
          const most = limit.burst + (times[to]! - times[from]!) / limit.intervalMs + 1e-3;
          if (to - from + 1 > most) return false;
        }
      }
      return true;
    }),
  );
});
