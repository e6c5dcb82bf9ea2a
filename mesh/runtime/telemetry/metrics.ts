/**
 * Numbers of a process, read by Prometheus at GET /metrics: on a service's own port, which is reached from loopback
 * and from within the mesh only, and on the edge's admin port. README.md lists them.
 *
 * Names are those of the semantic conventions where there are some, else weft.THING.WHAT (Prometheus:
 * weft_thing_what); a service's own are SERVICE.THING.WHAT. Attributes have few values: names of the contract and
 * outcomes, never ids.
 */
import type { Meter } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { CallMetrics } from "./call-metrics.ts";
import type { ExportCounts } from "./span-exporter.ts";

/** Instruments of one service and their present values. */
export interface Metrics {
  readonly meter: Meter;
  /** Calls that are answered, and made. */
  readonly serverCalls: CallMetrics;
  readonly clientCalls: CallMetrics;
  /** Adds lines in Prometheus' text format. */
  add(text: () => string): void;
  /** Present values in Prometheus' text format 0.0.4. What cannot be read within 2 s is left out. */
  text(): Promise<string>;
}

const collectTimeoutMs = 2_000;

/** @param service name in the mesh; the instruments' scope */
export function createMetrics(service: string): Metrics {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const serializer = new PrometheusSerializer("", false, undefined, true, true);
  const serverCalls = new CallMetrics("server");
  const clientCalls = new CallMetrics("client");
  const more = [() => serverCalls.text(), () => clientCalls.text()];
  return {
    meter: provider.getMeter(service),
    serverCalls,
    clientCalls,
    add: (text) => void more.push(text),
    async text() {
      const { resourceMetrics } = await reader.collect({ timeoutMillis: collectTimeoutMs });
      return serializer.serialize(resourceMetrics) + more.map((part) => part()).join("");
    },
  };
}

/** What runs: one series that is always 1 (OpenTelemetry's compatibility with Prometheus, "Resource attributes"). */
export function targetInfo(resource: Readonly<Record<string, unknown>>): () => string {
  const labels = Object.entries(resource)
    .filter(([name]) => name.startsWith("service.") || name.startsWith("process.runtime."))
    .map(([name, value]) => `${name.replaceAll(".", "_")}=${JSON.stringify(String(value))}`);
  const text = `# HELP target_info What runs\n# TYPE target_info gauge\ntarget_info{${labels.join(",")}} 1\n`;
  return () => text;
}

/** weft.spans: what became of the spans of this process, by outcome. */
export function observeSpans(meter: Meter, counts: ExportCounts): void {
  meter
    .createObservableCounter("weft.spans", { description: "Spans by what became of them" })
    .addCallback((result) => {
      result.observe(counts.exported, { outcome: "exported" });
      result.observe(counts.dropped, { outcome: "dropped" });
      result.observe(counts.refused, { outcome: "refused" });
    });
}
