/** Log lines and traces as the page keeps them, against a dashboard that is played. */
import { afterEach, expect, test, vi } from "vitest";
import { LogLines } from "./log-lines.js";
import { TraceList } from "./trace-list.js";

/** Answers calls with what `reply` makes of their requests. */
function dashboard(reply) {
  const asked = [];
  vi.stubGlobal("fetch", async (_url, { body, signal }) => {
    signal?.throwIfAborted();
    const request = JSON.parse(body);
    asked.push(request);
    return Response.json(reply(request));
  });
  return asked;
}
afterEach(() => vi.unstubAllGlobals());

const line = (position) => ({ position: String(position) });
const range = (from, to) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
/** A store of lines from 1 to `last()`. */
const store =
  (last) =>
  ({ after, before, limit }) => {
    const to = before ? Number(before) - 1 : last();
    const from = after ? Number(after) + 1 : Math.max(1, to - limit + 1);
    const lines = range(from, Math.min(to, from + limit - 1)).map(line);
    return { lines, through: String(lines.at(-1)?.position ?? after ?? 0) };
  };
const positions = ({ lines }) => lines.map(({ position }) => Number(position));

test("new lines follow those there are, without a gap, however many came at once", async () => {
  let last = 600;
  dashboard(store(() => last));
  const lines = new LogLines({});
  await lines.open();
  expect(positions(lines)).toEqual(range(101, 600));
  last = 9_000;
  await lines.newer(last);
  await lines.newer(last);
  expect(positions(lines)).toEqual(range(101, 9_000));
});

test("older lines come before those there are, until there are none", async () => {
  dashboard(store(() => 1_200));
  const lines = new LogLines({});
  await lines.open();
  expect(await lines.older()).toBe(500);
  expect(await lines.older()).toBe(200);
  expect(lines.hasOlder).toBe(false);
  expect(await lines.older()).toBe(0);
  expect(positions(lines)).toEqual(range(1, 1_200));
});

test("what is followed for long keeps the newest, and says that there are older ones", async () => {
  let last = 10;
  dashboard(store(() => last));
  const lines = new LogLines({});
  await lines.open();
  for (last = 5_010; last <= 30_010; last += 5_000) await lines.newer(last);
  expect(lines.lines).toHaveLength(20_000);
  expect(lines.hasOlder).toBe(true);
});

test("an empty store is opened again, and is not asked while nothing has come", async () => {
  let last = 0;
  const asked = dashboard(store(() => last));
  const lines = new LogLines({});
  await lines.open();
  await lines.newer(0);
  expect(asked).toHaveLength(1);
  last = 3;
  await lines.newer(3);
  expect(positions(lines)).toEqual([1, 2, 3]);
});

test("a dashboard that is away is a problem that the next answer ends; a list that was left has none", async () => {
  dashboard(() => {
    throw new TypeError("fetch failed");
  });
  const lines = new LogLines({});
  await lines.open();
  expect(lines.problem.message).toContain("does not answer");
  dashboard(store(() => 1));
  await lines.open();
  expect(lines.problem).toBeUndefined();
  lines.end();
  await lines.open();
  expect(lines.problem).toBeUndefined();
});

const trace = (position, spans = 1) => ({ position: String(position), traceId: `t${position}`, spans });
/** A store of traces from 1 to `last()`, newest first; `spans` tells how many each has. */
const traces =
  (last, spans = () => 1) =>
  ({ before, limit }) => {
    const to = before ? Number(before) - 1 : last();
    return {
      traces: range(Math.max(1, to - limit + 1), to)
        .reverse()
        .map((at) => trace(at, spans(at))),
    };
  };
const kept = ({ traces: all }) => all.map(({ position }) => Number(position));

test("new traces come first, grow while spans come, and a burst leaves no hole", async () => {
  let last = 100;
  let spans = 1;
  dashboard(
    traces(
      () => last,
      (at) => (at === 100 ? spans : 1),
    ),
  );
  const list = new TraceList({});
  await list.open();
  expect(kept(list)).toEqual(range(1, 100).reverse());
  spans = 7;
  await list.newer();
  expect(list.traces[0].spans).toBe(7);
  last = 110;
  await list.newer();
  expect(kept(list)).toEqual(range(1, 110).reverse());
  last = 1_000;
  await list.newer();
  expect(kept(list)).toEqual(range(801, 1_000).reverse());
  await list.older();
  expect(kept(list)).toEqual(range(601, 1_000).reverse());
});
