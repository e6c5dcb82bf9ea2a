/**
 * Numbers of a process: OpenTelemetry instruments, read by Prometheus at GET /metrics on the service's own port,
 * which is reached from loopback and from within the mesh only; the edge does not serve it.
 *
 * Names are weft.THING.WHAT (Prometheus: weft_thing_what); a service's own are SERVICE.THING.WHAT. Attributes
 * have few values: names of the contract and outcomes, never ids.
 */
import type { Meter } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";

/** Instruments of one service and their present values. */
export interface Metrics {
  readonly meter: Meter;
  /** Present values in Prometheus' text format 0.0.4. What cannot be read within 2 s is left out. */
  text(): Promise<string>;
}

const collectTimeoutMs = 2_000;

/** @param service name in the mesh; the instruments' scope */
export function createMetrics(service: string): Metrics {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const serializer = new PrometheusSerializer("", false, undefined, true, true);
  return {
    meter: provider.getMeter(service),
    async text() {
      const { resourceMetrics } = await reader.collect({ timeoutMillis: collectTimeoutMs });
      return serializer.serialize(resourceMetrics);
    },
  };
}
