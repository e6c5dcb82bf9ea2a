import { afterEach, expect, test } from "vitest";
import { type Collector, startCollector } from "../../../test/system/collector.ts";
import { currentContext } from "./context.ts";
import { inSpan } from "./in-span.ts";
import { createLogger } from "./log.ts";
import { SpanKind, type SpanType } from "./span.ts";
import { startTracing, type Tracing } from "./start-tracing.ts";
import { readTelemetrySettings } from "./telemetry-settings.ts";

let collector: Collector;
let tracing: Tracing;

afterEach(async () => {
  await tracing.stop();
  await collector.stop();
});

async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
  collector = await startCollector();
  const settings = readTelemetrySettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    WEFT_TRACE_RATIO: "1",
    OTEL_BSP_SCHEDULE_DELAY: "1",
    ...env,
  });
  tracing = startTracing("library", settings, createLogger("library", "silent"));
}

const outer: SpanType = { name: "lend", kind: SpanKind.consumer, attributes: { "library.shelf": 7 } };
const inner: SpanType = { name: "look up", kind: SpanKind.internal, attributes: {} };
const run = (work: () => Promise<unknown>, traceparent?: string, slowMs = 60_000) =>
  tracing.tracer.run(outer, { requestId: "r-1", traceparent }, { slowMs }, work);
const parent = (flags: string) => `00-${"a".repeat(32)}-${"b".repeat(16)}-${flags}`;

test("spans arrive over OTLP with their ids, times, attributes and process", async () => {
  await start({ OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b", OTEL_RESOURCE_ATTRIBUTES: "deployment=test" });
  const before = BigInt(Date.now()) * 1_000_000n;
  await run(() => inSpan(inner, async () => {}, { ratio: 0.5, hit: true }), parent("01"));
  await collector.until((spans) => spans.length === 2);
  const [child, root] = collector.spans;
  expect(root).toMatchObject({
    traceId: "a".repeat(32),
    parentSpanId: "b".repeat(16),
    name: "lend",
    kind: SpanKind.consumer,
    attributes: { "library.shelf": 7, "weft.request.id": "r-1" },
    failed: false,
    flags: 0x301, // sampled; the parent is in another process
    service: "library",
  });
  expect(root?.resource).toMatchObject({ deployment: "test", "telemetry.sdk.language": "nodejs" });
  expect(child).toMatchObject({
    traceId: root?.traceId,
    parentSpanId: root?.spanId,
    attributes: { ratio: 0.5, hit: true },
    flags: 0x101,
  });
  expect(child?.spanId).toMatch(/^[0-9a-f]{16}$/);
  // Clocks of process and system agree to some milliseconds.
  expect(root!.start - before).toBeGreaterThan(-50_000_000n);
  expect(child!.start >= root!.start && child!.end <= root!.end).toBe(true);
  expect(collector.headers["x-key"]).toBe("a b");
});

test("a trace that was not chosen leaves nothing when all goes well", async () => {
  await start();
  await run(() => inSpan(inner, async () => {}), parent("00"));
  await run(async () => {}, parent("01"));
  await collector.until((spans) => spans.length > 0);
  expect(collector.spans.map(({ name }) => name)).toEqual(["lend"]);
});

test("an error keeps all spans of its process, whose texts stay out", async () => {
  await start();
  const failing = run(
    () => inSpan(inner, async () => Promise.reject(new RangeError("ann@example.com"))),
    parent("00"),
  );
  await expect(failing).rejects.toThrow(RangeError);
  await collector.until((spans) => spans.length === 2);
  expect(
    collector.spans.map(({ name, failed, attributes, flags }) => [
      name,
      failed,
      attributes["error.type"],
      flags & 1,
    ]),
  ).toEqual([
    ["look up", true, "RangeError", 0],
    ["lend", true, "RangeError", 0],
  ]);
  expect(
    JSON.stringify(collector.spans, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
  ).not.toContain("ann@");
});

test("slow work is kept", async () => {
  await start();
  await run(() => inSpan(inner, async () => {}), parent("00"), -1);
  await collector.until((spans) => spans.length === 2);
});

test("the share of the traces beginning here is what was asked for", async () => {
  await start({ WEFT_TRACE_RATIO: "0.25" });
  const sampled = Array.from({ length: 4_000 }, () => tracing.tracer.open({}).traceFlags).filter(
    (flags) => flags === "01",
  );
  expect(sampled.length).toBeGreaterThan(800);
  expect(sampled.length).toBeLessThan(1_200);
});

test("a stranger's sampled flag does not decide", async () => {
  await start({ WEFT_TRACE_RATIO: "0" });
  const context = tracing.tracer.open({ traceparent: parent("01") }, {}, "ids only");
  expect(context).toMatchObject({ traceId: "a".repeat(32), traceFlags: "00" });
});

test("while the collector refuses, a bounded number waits and comes later; the rest is counted", async () => {
  await start({ OTEL_BSP_MAX_QUEUE_SIZE: "10" });
  collector.answer = 503;
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  for (let i = 0; i < 25; i++) await run(async () => {});
  expect(turned).toBe(false); // nobody waits: not even for the event loop
  expect(tracing.counts).toMatchObject({ exported: 0, dropped: 15 });
  collector.answer = 200;
  await collector.until((spans) => spans.length === 10);
});

test("a refusal for good drops the batch", async () => {
  await start();
  collector.answer = 400;
  await run(async () => {});
  await expect.poll(() => tracing.counts?.refused).toBe(1);
});

test("a collector that is away costs its calls nothing", async () => {
  await start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  await run(async () => expect(currentContext()?.traceFlags).toBe("01"));
  await tracing.stop();
  expect(tracing.counts).toMatchObject({ exported: 0, dropped: 1 });
});

test("settings that are wrong are named, without their values", () => {
  const read = (env: NodeJS.ProcessEnv) => () => readTelemetrySettings(env);
  expect(read({ WEFT_TRACE_RATIO: "2" })).toThrow("WEFT_TRACE_RATIO");
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" })).toThrow("OTEL_EXPORTER_OTLP_ENDPOINT");
  expect(read({ OTEL_EXPORTER_OTLP_HEADERS: "secret" })).toThrow(/^(?!.*secret)/);
  expect(readTelemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/" })).toMatchObject({
    tracesUrl: "http://c:4318/v1/traces",
    ratio: 0.01,
  });
  const off = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318", OTEL_SDK_DISABLED: "true" };
  expect(readTelemetrySettings(off).tracesUrl).toBeUndefined();
});
