/**
 * Figures of the process by the semantic conventions for processes, Node.js and V8
 * (opentelemetry.io/docs/specs/semconv/runtime/nodejs-metrics):
 *
 *   nodejs.eventloop.delay.p50, .p99, .max   of the last ten seconds; a late loop makes everything late
 *   nodejs.eventloop.utilization             share of the last ten seconds that the loop was busy
 *   process.cpu.time                         by cpu.mode
 *   process.memory.usage                     resident
 *   process.uptime
 *   v8js.memory.heap.used, .limit
 *
 * The instruments' names end in the unit, as Prometheus wants it: the exporter does not add it.
 */
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Meter } from "@opentelemetry/api";

const windowMs = 10_000;
/** Of the measurement of the loop's delay: every delay is measured with this much on top. */
const resolutionMs = 20;

/** Registers the instruments. @returns ends the measuring */
export function observeProcess(meter: Meter): () => void {
  const stop = observeEventLoop(meter);
  const gauge = (name: string, description: string, read: () => number) =>
    meter.createObservableGauge(name, { description }).addCallback((result) => result.observe(read()));
  gauge("process.memory.usage.bytes", "Resident memory", () => process.memoryUsage.rss());
  gauge("process.uptime.seconds", "Time since the process began", () => process.uptime());
  gauge("v8js.memory.heap.used.bytes", "Heap in use", () => getHeapStatistics().used_heap_size);
  gauge("v8js.memory.heap.limit.bytes", "Most heap that V8 takes", () => getHeapStatistics().heap_size_limit);
  meter
    .createObservableCounter("process.cpu.time.seconds", { description: "CPU time by mode" })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / 1e6, { "cpu.mode": "user" });
      result.observe(system / 1e6, { "cpu.mode": "system" });
    });
  return stop;
}

/** In windows of a fixed length, so that any number of readers see the same. */
function observeEventLoop(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const secondsAt = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3);
  const look = () => ({
    p50: secondsAt(delay.percentile(50)),
    p99: secondsAt(delay.percentile(99)),
    max: secondsAt(delay.max),
  });
  let window: ReturnType<typeof look> | undefined;
  let began = performance.eventLoopUtilization();
  let utilization: number | undefined;
  const timer = setInterval(() => {
    window = look();
    delay.reset();
    const now = performance.eventLoopUtilization();
    utilization = performance.eventLoopUtilization(now, began).utilization;
    began = now;
  }, windowMs).unref();

  for (const name of ["p50", "p99", "max"] as const) {
    meter
      .createObservableGauge(`nodejs.eventloop.delay.${name}.seconds`, {
        description: `How late the event loop is, ${name} of ten seconds`,
      })
      .addCallback((result) => {
        const value = (window ?? look())[name];
        if (Number.isFinite(value)) result.observe(value);
      });
  }
  meter
    .createObservableGauge("nodejs.eventloop.utilization.ratio", {
      description: "Share of ten seconds that the event loop was busy",
    })
    .addCallback((result) =>
      result.observe(utilization ?? performance.eventLoopUtilization(began).utilization),
    );
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
