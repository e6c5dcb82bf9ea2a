import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { encodeTraces } from "#mesh/runtime/telemetry/otlp-traces.ts";
import { type Span, SpanKind } from "#mesh/runtime/telemetry/span.ts";
import { decodeTraces, type ReceivedSpan } from "./otlp.ts";
import { TraceStore, waterfall } from "./trace-store.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const start = Date.UTC(2026, 0, 1);
const most = { traces: 100, spansPerTrace: 100, spans: 1_000 };
const everything = {
  service: "",
  method: "",
  errorsOnly: false,
  minDurationMs: 0,
  maxDurationMs: 0,
  id: "",
  before: 0,
  limit: 100,
};

function span(id: number, rest: Partial<ReceivedSpan> = {}): ReceivedSpan {
  return {
    traceId,
    spanId: id.toString(16).padStart(16, "0"),
    parentId: "",
    name: `span ${id}`,
    service: "shelf",
    kind: 1,
    startedAt: start + id,
    endedAt: start + id + 10,
    attributes: {},
    events: [],
    links: [],
    status: 0,
    statusMessage: "",
    ...rest,
  };
}
const of = (id: number): Pick<ReceivedSpan, "traceId"> => ({ traceId: id.toString(16).padStart(32, "0") });
const parent = (id: number) => ({ parentId: id.toString(16).padStart(16, "0") });

test("what our processes send is what is read", () => {
  const sent: Span = {
    type: {
      name: "shelf.v1.Shelf/Lend",
      kind: SpanKind.server,
      attributes: { "rpc.system.name": "grpc", tries: 2 },
    },
    traceId,
    spanId: "00f067aa0ba902b7",
    parentSpanId: "b7ad6b7169203331",
    parentIsRemote: true,
    startedAt: start + 0.25,
    endedAt: start + 12.5,
    more: { late: true, share: 0.5 },
    error: "UNAVAILABLE",
    requestId: "r-1",
    sampled: true,
  };
  expect(decodeTraces(encodeTraces({ "service.name": "shelf" }, [sent]))).toEqual([
    {
      traceId,
      spanId: "00f067aa0ba902b7",
      parentId: "b7ad6b7169203331",
      name: "shelf.v1.Shelf/Lend",
      service: "shelf",
      kind: 2,
      startedAt: start + 0.25,
      endedAt: start + 12.5,
      attributes: {
        "rpc.system.name": "grpc",
        tries: 2,
        late: true,
        share: 0.5,
        "weft.request.id": "r-1",
        "error.type": "UNAVAILABLE",
      },
      events: [],
      links: [],
      status: 2,
      statusMessage: "",
    },
  ]);
});

test("bytes that are no spans, spans without ids and bombs of nesting are refused", () => {
  expect(() => decodeTraces(Buffer.from("no protobuf at all"))).toThrow();
  const withoutIds = new BinaryWriter();
  withoutIds.tag(1, WireType.LengthDelimited).fork().tag(2, WireType.LengthDelimited).fork();
  withoutIds
    .tag(2, WireType.LengthDelimited)
    .fork()
    .tag(5, WireType.LengthDelimited)
    .string("x")
    .join()
    .join()
    .join();
  expect(() => decodeTraces(withoutIds.finish())).toThrow("ids");
});

test("a trace is put together in whatever order its spans come", () => {
  const traces = new TraceStore(most);
  traces.add([
    span(5, { ...parent(2), service: "reader", status: 2 }),
    span(2, { name: "root", endedAt: start + 90 }),
  ]);
  const [trace] = traces.list(everything);
  expect(trace).toMatchObject({ errors: 1, startedAt: start + 2, endedAt: start + 90 });
  expect(trace?.top.name).toBe("root");
  expect([...trace!.services]).toEqual(["reader", "shelf"]);
});

test("the same spans sent again are there once", () => {
  const traces = new TraceStore(most);
  traces.add([span(1)]);
  traces.add([span(1)]);
  expect(traces.get(traceId)?.spans).toHaveLength(1);
});

test("the oldest traces give way: to newer ones, and to spans", () => {
  const traces = new TraceStore({ traces: 3, spansPerTrace: 2, spans: 4 });
  for (let id = 1; id <= 5; id++) traces.add([span(id, of(id))]);
  expect(traces.range).toEqual({ first: 3n, last: 5n, dropped: 2n });
  traces.add([span(6, of(5)), span(7, of(5)), span(8, of(4))]);
  expect(traces.get(of(5).traceId)).toMatchObject({ dropped: 1 });
  expect(traces.get(of(3).traceId)).toBeUndefined();
  expect(traces.list(everything).map(({ position }) => position)).toEqual([5, 4]);
});

test("traces are found by service, name, failure, duration, id and the value of an attribute", () => {
  const traces = new TraceStore(most);
  traces.add([
    span(1, { ...of(1), name: "GET /books", attributes: { "weft.request.id": "r-1" } }),
    span(2, { ...of(2), service: "reader", status: 2, endedAt: start + 500 }),
  ]);
  const found = (filter: object) => traces.list({ ...everything, ...filter }).map(({ position }) => position);
  expect(found({})).toEqual([2, 1]);
  expect(found({ service: "reader" })).toEqual([2]);
  expect(found({ method: "get /b" })).toEqual([1]);
  expect(found({ errorsOnly: true })).toEqual([2]);
  expect(found({ minDurationMs: 100 })).toEqual([2]);
  expect(found({ maxDurationMs: 100 })).toEqual([1]);
  expect(found({ id: of(2).traceId.slice(0, 32) })).toEqual([2]);
  expect(found({ id: "r-1" })).toEqual([1]);
  expect(found({ limit: 1 })).toEqual([2]);
  expect(found({ before: 2 })).toEqual([1]);
});

test("the waterfall has each span below its parent, siblings by start, and orphans at the top", () => {
  const spans = [span(4, parent(2)), span(1), span(3, parent(1)), span(2, parent(1)), span(9, parent(99))];
  expect(waterfall(spans).map((placed) => [placed.span.spanId.at(-1), placed.depth, placed.orphan])).toEqual([
    ["1", 0, false],
    ["2", 1, false],
    ["4", 2, false],
    ["3", 1, false],
    ["9", 0, true],
  ]);
});

test("a very deep trace, and one whose parents go in a circle, end", () => {
  const deep = Array.from({ length: 2_000 }, (_, id) => span(id + 1, id > 0 ? parent(id) : {}));
  expect(waterfall(deep).at(-1)?.depth).toBe(1_999);
  expect(waterfall([span(1, parent(2)), span(2, parent(1))])).toEqual([]);
});
