import { goDuration } from "../../output/duration.ts";
import type { TrafficLimits } from "../traffic-limits.ts";

/**
 * Pool and breaker of a DestinationRule. Istio ejects single endpoints after failures in a row: as many as would
 * open the breaker at its smallest volume. All may be ejected, so that a callee which fails everywhere is left
 * alone as the breaker would leave it.
 */
export function istioTrafficPolicy(limits: TrafficLimits): object {
  return {
    connectionPool: {
      http: { http2MaxRequests: limits.inFlight, http1MaxPendingRequests: limits.waiting },
    },
    outlierDetection: {
      consecutiveGatewayErrors: limits.failuresInARow,
      consecutive5xxErrors: limits.failuresInARow,
      interval: goDuration(limits.windowMs),
      baseEjectionTime: goDuration(limits.openMs),
      maxEjectionPercent: 100,
      minHealthPercent: 0,
    },
  };
}
