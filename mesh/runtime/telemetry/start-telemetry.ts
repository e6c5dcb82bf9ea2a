import type { Logger } from "./log.ts";
import { createMetrics, type Metrics, observeSpans, targetInfo } from "./metrics.ts";
import { observeProcess } from "./process-metrics.ts";
import { resourceOf, startTracing } from "./start-tracing.ts";
import { readTelemetrySettings } from "./telemetry-settings.ts";
import type { Tracer } from "./tracer.ts";

/** Spans and numbers of one service or edge. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  /** Sends the spans that wait, for two seconds at most. */
  stop(): Promise<void>;
}

/**
 * @param service name in the mesh
 * @param env settings; README.md lists them
 * @throws Error naming the variables that are wrong
 */
export function startTelemetry(service: string, env: NodeJS.ProcessEnv, log: Logger): Telemetry {
  const settings = readTelemetrySettings(env);
  const { tracer, counts, stop } = startTracing(service, settings, log);
  const metrics = createMetrics(service);
  metrics.add(targetInfo(resourceOf(service, settings)));
  if (counts) observeSpans(metrics.meter, counts);
  const stopMeasuring = observeProcess(metrics.meter);
  return {
    tracer,
    metrics,
    async stop() {
      stopMeasuring();
      await stop();
    },
  };
}
