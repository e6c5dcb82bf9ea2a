import { afterEach, expect, test } from "vitest";
import { BUCKETS as generated, labels, metrics as names } from "../../codegen/weft/targets/metrics.ts";
import { libraryMethod } from "../policy/testdata/library-method.ts";
import { CallMetrics } from "./call-metrics.ts";
import { BUCKETS } from "./duration-histogram.ts";
import { createLogger } from "./log.ts";
import { startTelemetry, type Telemetry } from "./start-telemetry.ts";

let telemetry: Telemetry | undefined;
afterEach(() => telemetry?.stop());

const method = libraryMethod({});
const start = () => {
  telemetry = startTelemetry("library", {}, createLogger("library", "silent"));
  return telemetry.metrics;
};
/** Value of a series; undefined without one. */
const sample = (text: string, series: string) =>
  text
    .split("\n")
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);

test("calls are counted by caller, method and code, in buckets that add up", async () => {
  const { serverCalls, text } = start();
  const counts = serverCalls.of(method);
  for (const ms of [1, 5, 30, 30, 20_000]) counts.record("shelf", 0, false, ms);
  counts.record(undefined, 16, false, 1);
  counts.record("shelf", 13, true, 1);
  const page = await text();
  const rpc = `${labels.method}="${method.parent.typeName}/${method.name}"`;
  const of = (suffix: string, caller: string, code: string, rest = "") =>
    sample(
      page,
      `${names.serverCalls}_${suffix}{rpc_system_name="grpc",${rpc},weft_caller="${caller}",${labels.code}="${code}"${rest}}`,
    );
  expect(of("count", "shelf", "OK")).toBe("5");
  expect(Number(of("sum", "shelf", "OK"))).toBeCloseTo(20.066);
  expect(of("bucket", "shelf", "OK", ',le="0.005"')).toBe("2");
  expect(of("bucket", "shelf", "OK", ',le="0.05"')).toBe("4");
  expect(of("bucket", "shelf", "OK", ',le="10"')).toBe("4");
  expect(of("bucket", "shelf", "OK", ',le="+Inf"')).toBe("5");
  expect(of("count", "unknown", "UNAUTHENTICATED")).toBe("1");
  expect(of("count", "shelf", "INTERNAL", ',error_type="INTERNAL"')).toBe("1");
});

test("the buckets are those that alerts are made for", () => {
  expect(BUCKETS).toEqual(generated);
});

test("peers beyond a bound are counted together", () => {
  const calls = new CallMetrics("client");
  for (let peer = 0; peer < 1_000; peer++) calls.of(method).record(`p${peer}`, 0, false, 1);
  const counts = calls
    .text()
    .split("\n")
    .filter((line) => line.includes("_count{"));
  expect(counts.length).toBe(65);
  expect(counts.at(-1)).toMatch(/weft_callee="other".* 936$/);
});

test("figures of the process are there, in units that Prometheus expects", async () => {
  const page = await start().text();
  for (const name of [
    "nodejs_eventloop_delay_p99_seconds",
    "nodejs_eventloop_utilization_ratio",
    "process_memory_usage_bytes",
    'process_cpu_time_seconds_total{cpu_mode="user"}',
    "process_uptime_seconds",
    "v8js_memory_heap_used_bytes",
  ])
    expect(Number(sample(page, name)), name).toBeGreaterThanOrEqual(0);
  expect(page).toMatch(/^target_info\{service_name="library",service_version="dev",.*\} 1$/m);
});
