import type { MeshMethod, MeshService } from "../../contract/model.ts";
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
      ...triesOf(method),
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

/**
 * Experimental channel of the Gateway API (GEP-1731). Istio adds its own conditions, UNAVAILABLE and CANCELLED
 * among them; 503 names the one that is meant. Without UNAVAILABLE among the codes the gateway's process retries, and
 * a time for each try would be taken for that of the whole call.
 */
function triesOf({ policy: { timeoutMs, retry } }: MeshMethod): object {
  const request = gatewayDuration(timeoutMs);
  if (!retry || !proxyCodes(retry.codes).includes("unavailable")) return { timeouts: { request } };
  const { perTryMs, attempts, baseBackoffMs } = retry;
  return {
    timeouts: { request, ...(perTryMs !== undefined && { backendRequest: gatewayDuration(perTryMs) }) },
    retry: { attempts: attempts - 1, codes: [503], backoff: gatewayDuration(baseBackoffMs) },
  };
}
