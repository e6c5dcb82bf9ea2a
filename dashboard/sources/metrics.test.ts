import { expect, test } from "vitest";
import { clientCalls, isFault, Metrics, quantileMs, serverCalls, windowMs } from "./metrics.ts";
import { parseMetrics } from "./prometheus-text.ts";

const method = "library.v1.Shelf/Lend";

/** A page on which so many calls took 5, 10 and more milliseconds. */
function page(counts: [number, number, number], code = "OK", callee = "shelf"): string {
  const labels = `rpc_method="${method}",weft_callee="${callee}",rpc_response_status_code="${code}"`;
  const [fast, medium, slow] = counts;
  return `# TYPE ${clientCalls} histogram
${clientCalls}_bucket{${labels},le="0.005"} ${fast}
${clientCalls}_bucket{${labels},le="0.01"} ${fast + medium}
${clientCalls}_bucket{${labels},le="+Inf"} ${fast + medium + slow}
${clientCalls}_count{${labels}} ${fast + medium + slow}
weft_dead_letters{consumer="a\\"b",state="open"} 2
`;
}

test("labels with quotes are read, comments and nonsense are not", () => {
  expect(parseMetrics(`${page([1, 0, 0])}\nnonsense{\n`, (name) => name === "weft_dead_letters")).toEqual([
    { name: "weft_dead_letters", labels: { consumer: 'a"b', state: "open" }, value: 2 },
  ]);
});

test("figures are what happened between two looks; without a second look there are none", () => {
  const metrics = new Metrics();
  metrics.add("reader", page([10, 0, 0]), 1_000);
  expect(metrics.calls("reader", 1_000).figures).toEqual([]);
  metrics.add("reader", page([12, 4, 4]), 3_000);
  const { seconds, figures } = metrics.calls("reader", 3_000);
  expect(seconds).toBe(2);
  expect(figures).toMatchObject([{ method, peer: "shelf", count: 10 }]);
  expect(figures[0]!.codes).toEqual(new Map([["OK", 10]]));
});

test("a process that began anew counts from nought", () => {
  const metrics = new Metrics();
  metrics.add("reader", page([100, 0, 0]), 0);
  metrics.add("reader", page([3, 0, 0]), 1_000);
  expect(metrics.calls("reader", 1_000).figures[0]?.count).toBe(3);
});

test("only the window counts, and a process that is not looked at any more has no figures", () => {
  const metrics = new Metrics();
  for (let second = 0; second <= 60; second++) metrics.add("reader", page([second, 0, 0]), second * 1_000);
  expect(metrics.calls("reader", 60_000).figures[0]?.count).toBe(windowMs / 1_000);
  expect(metrics.calls("reader", 60_000 + 2 * windowMs).figures).toEqual([]);
  metrics.keep(new Set());
  expect(metrics.hasLook("reader")).toBe(false);
});

test("quantiles are estimated within buckets, and not beyond the last bound", () => {
  const buckets = new Map([
    [0.01, 50],
    [0.1, 90],
    [Number.POSITIVE_INFINITY, 100],
  ]);
  const calls = { buckets, count: 100, sum: 5 };
  expect(quantileMs(calls, 0.5)).toBeCloseTo(10);
  expect(quantileMs(calls, 0.7)).toBeCloseTo(55);
  expect(quantileMs(calls, 0.99)).toBe(100);
  expect(quantileMs({ buckets: new Map(), count: 0, sum: 0 }, 0.5)).toBeUndefined();
});

test("of one call the time itself is told, and of few calls no time that their sum rules out", () => {
  const upTo = (...counts: number[]) => new Map([0.1, 0.5, 1].map((bound, index) => [bound, counts[index]!]));
  expect(quantileMs({ buckets: upTo(0, 0, 1), count: 1, sum: 0.61 }, 0.5)).toBeCloseTo(610);
  // The short one took no time at best, so the long one took all of the sum at most.
  expect(quantileMs({ buckets: upTo(1, 1, 2), count: 2, sum: 0.6 }, 0.99)).toBeCloseTo(600);
});

test("who ever called and proved it is known after the calls have left the window", () => {
  const metrics = new Metrics();
  const served = `${serverCalls}_count{rpc_method="${method}",weft_caller="edge"} 1\n`;
  for (const at of [0, 60_000, 60_001]) metrics.add("shelf", served, at);
  expect(metrics.calls("shelf", 60_001).figures).toEqual([]);
  expect(metrics.callers("shelf")).toEqual(new Set(["edge"]));
  expect(metrics.callers("nobody")).toEqual(new Set());
});

test("a refusal is no fault of the callee, a failure is", () => {
  expect(["UNAVAILABLE", "INTERNAL", "503"].every(isFault)).toBe(true);
  expect(["OK", "NOT_FOUND", "UNAUTHENTICATED", "404", ""].some(isFault)).toBe(false);
});
