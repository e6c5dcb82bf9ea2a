import type { MeshMethod, MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { goDuration } from "../../output/duration.ts";
import { type Resource, resource } from "../../output/resource.ts";
import { proxyCodes } from "../grpc-retry-codes.ts";
import { restRoute } from "../route-names.ts";

/**
 * Routes that callers' proxies follow: Linkerd takes timeouts and retries from annotations of the whole route, so
 * each method has one. The last route takes what is in no contract, such as health checks.
 * @param names of the methods' routes
 */
export function outboundRoutes(
  service: MeshService,
  names: ReadonlyMap<MeshMethod, string>,
  options: MeshOptions,
): Resource[] {
  const routes = service.methods.map((method) =>
    route(service, names.get(method)!, annotationsOf(method), options, {
      matches: [{ method: { type: "Exact", service: method.service, method: method.name } }],
    }),
  );
  if (routes.length === 0) return [];
  return [...routes, route(service, restRoute(service.name), {}, options, {})];
}

function route(
  { name }: MeshService,
  routeName: string,
  annotations: Record<string, string>,
  options: MeshOptions,
  rule: object,
): Resource {
  return resource(
    options,
    "gateway.networking.k8s.io/v1 GRPCRoute",
    { name: routeName, workload: name, annotations },
    {
      spec: {
        parentRefs: [{ group: "", kind: "Service", name, port: options.port }],
        rules: [{ ...rule, backendRefs: [{ name, port: options.port }] }],
      },
    },
  );
}

/** Retries that Linkerd's proxy makes: it knows five codes, and no wait between tries. */
function annotationsOf({ policy: { timeoutMs, retry } }: MeshMethod): Record<string, string> {
  const codes = proxyCodes(retry?.codes ?? []);
  return {
    "timeout.linkerd.io/request": goDuration(timeoutMs),
    ...(retry &&
      codes.length > 0 && {
        "retry.linkerd.io/grpc": codes.join(","),
        "retry.linkerd.io/limit": String(retry.attempts - 1),
        ...(retry.perTryMs !== undefined && { "retry.linkerd.io/timeout": goDuration(retry.perTryMs) }),
      }),
  };
}
