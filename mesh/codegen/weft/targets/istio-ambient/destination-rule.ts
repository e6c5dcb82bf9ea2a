import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { hostOf, type Resource, resource } from "../../output/resource.ts";
import { istioTrafficPolicy } from "../istio/traffic-policy.ts";
import { RETRY_BUDGET } from "../retry-budget.ts";
import { limitsOf, type TrafficLimits } from "../traffic-limits.ts";

/**
 * Bounds and breaker of the waypoint towards a service. A route cannot choose a subset here, so all methods share
 * them and the widest of each wins.
 */
export function destinationRule(service: MeshService, options: MeshOptions): Resource {
  const { name } = service;
  return resource(
    options,
    "networking.istio.io/v1 DestinationRule",
    { name, workload: name },
    {
      spec: {
        host: hostOf(name, options),
        trafficPolicy: {
          loadBalancer: { simple: "LEAST_REQUEST" },
          retryBudget: { percent: RETRY_BUDGET.percent, minRetryConcurrency: RETRY_BUDGET.minimum },
          ...istioTrafficPolicy(widest(service.methods.map(limitsOf))),
        },
      },
    },
  );
}

function widest(limits: readonly TrafficLimits[]): TrafficLimits {
  return limits.reduce((a, b) => {
    const most = (key: keyof TrafficLimits) => Math.max(a[key], b[key]);
    return {
      inFlight: most("inFlight"),
      waiting: most("waiting"),
      failuresInARow: most("failuresInARow"),
      failurePercent: most("failurePercent"),
      volume: most("volume"),
      windowMs: most("windowMs"),
      openMs: most("openMs"),
      maxOpenMs: most("maxOpenMs"),
    };
  });
}
