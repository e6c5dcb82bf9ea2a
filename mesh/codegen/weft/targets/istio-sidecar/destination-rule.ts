import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { hostOf, type Resource, resource } from "../../output/resource.ts";
import { RETRY_BUDGET } from "../retry-budget.ts";
import type { Subsets } from "./subsets.ts";

/** Balancing, bounds and breaker towards a service. A subset's policy replaces the one above part by part. */
export function destinationRule({ name }: MeshService, subsets: Subsets, options: MeshOptions): Resource {
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
          ...subsets.usual,
        },
        ...(subsets.others.length > 0 && {
          subsets: subsets.others.map(({ name: subset, policy }) => ({
            name: subset,
            trafficPolicy: policy,
          })),
        }),
      },
    },
  );
}
