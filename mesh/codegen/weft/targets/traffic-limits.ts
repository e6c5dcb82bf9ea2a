/** Bounds and breaker of a method as Envoy and Istio can keep them: for each caller's proxy and callee. */
import { EDGE, type MeshMethod } from "../contract/model.ts";

export interface TrafficLimits {
  /** Calls in flight from one proxy. */
  readonly inFlight: number;
  /** Calls that may wait. */
  readonly waiting: number;
  /** Failures in a row that would open the breaker at its smallest volume. */
  readonly failuresInARow: number;
  /** Whole share of failed calls, in percent, and calls in a window from which it counts. */
  readonly failurePercent: number;
  readonly volume: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
}

/** A proxy does not tell callers apart, so the gateway's larger bound wins where it is one of them. */
export function limitsOf({ policy: { breaker, concurrency, callers } }: MeshMethod): TrafficLimits {
  const volume = Math.max(1, Math.ceil((breaker.minimumRps * breaker.windowMs) / 1_000));
  return {
    inFlight: callers.includes(EDGE) ? concurrency.edgeLimit : concurrency.limit,
    waiting: concurrency.queue,
    failuresInARow: Math.max(1, Math.ceil(breaker.ratio * volume)),
    failurePercent: Math.max(1, Math.round(breaker.ratio * 100)),
    volume,
    windowMs: breaker.windowMs,
    openMs: breaker.openMs,
    maxOpenMs: breaker.maxOpenMs,
  };
}
