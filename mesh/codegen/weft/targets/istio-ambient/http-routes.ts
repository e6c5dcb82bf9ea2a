import type { MeshMethod, MeshService, RetryRule } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { gatewayDuration } from "../../output/duration.ts";
import { type Resource, resource } from "../../output/resource.ts";
import { proxyCodes } from "../grpc-retry-codes.ts";
import { restRoute } from "../route-names.ts";

/**
 * Routes that the waypoint follows, one for each method: GRPCRoute has neither timeouts nor retries (GEP-3139,
 * GEP-3440), so they are HTTPRoutes. The last one takes what is in no contract.
 * @param names of the methods' routes
 */
export function httpRoutes(
  service: MeshService,
  names: ReadonlyMap<MeshMethod, string>,
  options: MeshOptions,
): Resource[] {
  const routes = service.methods.map((method) =>
    route(service, names.get(method)!, options, {
      matches: [{ path: { type: "Exact", value: method.path } }],
      timeouts: timeoutsOf(method),
      ...retryOf(method.policy.retry),
    }),
  );
  const rest = { matches: [{ path: { type: "PathPrefix", value: "/" } }] };
  return [...routes, route(service, restRoute(service.name), options, rest)];
}

function route({ name }: MeshService, routeName: string, options: MeshOptions, rule: object): Resource {
  return resource(
    options,
    "gateway.networking.k8s.io/v1 HTTPRoute",
    { name: routeName, workload: name },
    {
      spec: {
        parentRefs: [{ group: "", kind: "Service", name, port: options.port }],
        rules: [{ ...rule, backendRefs: [{ name, port: options.port }] }],
      },
    },
  );
}

function timeoutsOf({ policy: { timeoutMs, retry } }: MeshMethod): object {
  return {
    request: gatewayDuration(timeoutMs),
    ...(retry?.perTryMs !== undefined && { backendRequest: gatewayDuration(retry.perTryMs) }),
  };
}

/**
 * Experimental channel of the Gateway API (GEP-1731). Istio adds its own conditions, UNAVAILABLE and CANCELLED
 * among them; 503 names the one that is meant. Without UNAVAILABLE among the codes the gateway's process retries.
 */
function retryOf(retry: RetryRule | undefined): object {
  if (!retry || !proxyCodes(retry.codes).includes("unavailable")) return {};
  return {
    retry: { attempts: retry.attempts - 1, codes: [503], backoff: gatewayDuration(retry.baseBackoffMs) },
  };
}
