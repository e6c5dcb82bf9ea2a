import { expect, test } from "vitest";
import { LogLevel } from "#gen/weft/dashboard/v1/logs_pb.ts";
import { detailsOf, parseLine } from "./log-line.ts";
import { LogStore } from "./log-store.ts";

const any = { processes: [], minLevel: LogLevel.LOG_LEVEL_UNSPECIFIED, text: "", traceId: "", requestId: "" };
const line = (rest: object = {}, process = "shelf") =>
  parseLine(
    process,
    JSON.stringify({ level: "info", time: "2026-01-01T00:00:00Z", msg: "lent", ...rest }),
    0,
  );
const positions = ({ lines }: { lines: { position: number }[] }) => lines.map(({ position }) => position);

function store(size: number, lines: Parameters<LogStore["add"]>[0]): LogStore {
  const logs = new LogStore(size);
  logs.add(lines);
  return logs;
}

test("the oldest lines give way, are counted, and leave the indexes", () => {
  const logs = store(
    3,
    ["a", "a", "b", "b", "c"].map((traceId) => line({ traceId })),
  );
  expect(logs.range).toEqual({ first: 3n, last: 5n, dropped: 2n });
  expect(positions(logs.backward(any, 0, 10))).toEqual([3, 4, 5]);
  expect(positions(logs.backward({ ...any, traceId: "a" }, 0, 10))).toEqual([]);
  expect(positions(logs.backward({ ...any, traceId: "b" }, 0, 10))).toEqual([3, 4]);
  expect(logs.countOfTrace("a")).toBe(0);
});

test("going on after a position misses nothing and repeats nothing", () => {
  const logs = store(100, []);
  const seen: number[] = [];
  let after = 0;
  for (let round = 0; round < 20; round++) {
    logs.add(Array.from({ length: round % 4 }, () => line()));
    const found = logs.forward(any, after, 3);
    seen.push(...positions(found));
    after = found.through;
  }
  while (after < logs.last) {
    const found = logs.forward(any, after, 3);
    seen.push(...positions(found));
    after = found.through;
  }
  expect(seen).toEqual(Array.from({ length: logs.last }, (_, index) => index + 1));
});

test("a filter that matches nothing still goes on from the newest", () => {
  const logs = store(10, [line(), line()]);
  expect(logs.forward({ ...any, text: "no such" }, 0, 5)).toEqual({ lines: [], through: 2 });
});

test("lines are found by process, level, text, trace and request", () => {
  const logs = store(10, [
    line({ requestId: "r1", traceId: "t1" }),
    line({ level: "warn", requestId: "r1" }, "reader"),
    line({ level: "error", msg: "Ink [is] out" }, "reader"),
    parseLine("nats", "[7] 2026/01/01 [ERR] no room", 0),
  ]);
  const found = (filter: object) => positions(logs.backward({ ...any, ...filter }, 0, 10));
  expect(found({ processes: ["reader", "nats"] })).toEqual([2, 3, 4]);
  expect(found({ minLevel: LogLevel.WARN })).toEqual([2, 3, 4]);
  expect(found({ minLevel: LogLevel.ERROR })).toEqual([3, 4]);
  expect(found({ text: "ink [IS]" })).toEqual([3]);
  expect(found({ requestId: "r1" })).toEqual([1, 2]);
  expect(found({ requestId: "r1", processes: ["reader"] })).toEqual([2]);
  expect(found({ traceId: "t1" })).toEqual([1]);
});

test("pages backward join without overlap", () => {
  const logs = store(
    100,
    Array.from({ length: 7 }, () => line()),
  );
  expect(positions(logs.backward(any, 0, 3))).toEqual([5, 6, 7]);
  expect(positions(logs.backward(any, 5, 3))).toEqual([2, 3, 4]);
  expect(positions(logs.backward(any, 2, 3))).toEqual([1]);
});

test("a line of JSON tells its message and fields, any other line is its own message", () => {
  const [json, plain] = [
    ...store(10, [line({ ms: 3, spanId: "s" }), parseLine("x", "{not json", 5)]).backward(any, 0, 2).lines,
  ];
  expect(detailsOf(json!)).toEqual({ message: "lent", spanId: "s", fields: { ms: 3 } });
  expect(detailsOf(plain!)).toEqual({ message: "{not json", spanId: "", fields: {} });
});
