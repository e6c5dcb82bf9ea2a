/** Telemetry that does nothing, to measure what the real one adds. */
import { RequestMetrics, RouteMetrics } from "#edge/policies/request-metrics.ts";
import { CallMetrics, MethodMetrics } from "#mesh/runtime/telemetry/call-metrics.ts";
import { DurationHistograms } from "#mesh/runtime/telemetry/duration-histogram.ts";
import { createMetrics } from "#mesh/runtime/telemetry/metrics.ts";
import type { Telemetry } from "#mesh/runtime/telemetry/start-telemetry.ts";
import { noTracer } from "#mesh/runtime/telemetry/tracer.ts";

const nothing = new DurationHistograms("nothing", "", []);

class SilentMethod extends MethodMetrics {
  override record(): void {}
}

export class SilentCalls extends CallMetrics {
  readonly #method = new SilentMethod("", nothing);

  override of(): MethodMetrics {
    return this.#method;
  }
}

class SilentRoute extends RouteMetrics {
  override record(): void {}
}

export class SilentRequests extends RequestMetrics {
  override of(): RouteMetrics {
    return new SilentRoute(nothing, "", "", "");
  }
}

export const silentTelemetry = (): Telemetry => ({
  tracer: noTracer,
  metrics: { ...createMetrics("silent"), clientCalls: new SilentCalls("client") },
  stop: async () => {},
});
