import { hostname } from "node:os";
import type { Logger } from "./log.ts";
import type { Attributes } from "./span.ts";
import { type ExportCounts, SpanExporter } from "./span-exporter.ts";
import type { TelemetrySettings } from "./telemetry-settings.ts";
import { Tracer } from "./tracer.ts";

/** A process's tracing. */
export interface Tracing {
  readonly tracer: Tracer;
  /** What became of spans; undefined where nobody collects them. */
  readonly counts: ExportCounts | undefined;
  /** Sends what waits, for two seconds at most. */
  stop(): Promise<void>;
}

/** @param service name in the mesh */
export function startTracing(service: string, settings: TelemetrySettings, log: Logger): Tracing {
  const { tracesUrl: url, ratio } = settings;
  if (!url) return { tracer: new Tracer(ratio, undefined), counts: undefined, stop: async () => {} };
  const resource = resourceOf(service, settings);
  const exporter = new SpanExporter({ ...settings, url, resource }, (problem) =>
    log.warn({ problem }, "the collector does not take spans; calls go on without"),
  );
  return {
    tracer: new Tracer(ratio, (span) => exporter.add(span)),
    counts: exporter.counts,
    stop: () => exporter.stop(),
  };
}

/** Semantic conventions for resources. */
export function resourceOf(service: string, settings: TelemetrySettings): Attributes {
  return {
    ...settings.resource,
    "service.name": service,
    "service.version": settings.version,
    "service.instance.id": settings.instanceId,
    "host.name": hostname(),
    "process.pid": process.pid,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.versions.node,
    "telemetry.sdk.name": "weft",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.version": settings.version,
  };
}
