import type { Contract, MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";
import { allowRules } from "../istio/allow-rules.ts";
import { jwtRules, looksAtUsers } from "../istio/jwt-rules.ts";
import { OBSERVABILITY } from "../istio/mesh-wide.ts";
import { principalOf } from "../istio/principals.ts";
import { WAYPOINT } from "./waypoint.ts";

const targetRefs = (name: string) => [{ group: "", kind: "Service", name }];

/** Who may call what, as the waypoint of the service checks it. */
export function allowCallers({ name, methods }: MeshService, options: MeshOptions): Resource {
  return resource(
    options,
    "security.istio.io/v1 AuthorizationPolicy",
    { name: `${name}-callers`, workload: name },
    { spec: { targetRefs: targetRefs(name), action: "ALLOW", rules: allowRules(methods, options) } },
  );
}

/**
 * Whose tokens count, for all services behind the waypoint: istiod gives it the way to the keys only for a policy
 * that is its own. Nothing where no method looks at a user.
 */
export function requestAuthentication({ services }: Contract, options: MeshOptions): Resource[] {
  if (!services.some((service) => looksAtUsers(service, options))) return [];
  return [
    resource(
      options,
      "security.istio.io/v1 RequestAuthentication",
      { name: "users" },
      {
        spec: {
          targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: WAYPOINT }],
          jwtRules: jwtRules(options),
        },
      },
    ),
  ];
}

/**
 * What a pod's own ztunnel lets in: the waypoint, which has checked the call, and what reads metrics. Otherwise
 * somebody could go around the waypoint.
 */
export function allowWaypoint(name: string, options: MeshOptions): Resource {
  return resource(
    options,
    "security.istio.io/v1 AuthorizationPolicy",
    { name: `${name}-waypoint`, workload: name },
    {
      spec: {
        selector: podsOf(name),
        action: "ALLOW",
        rules: [
          {
            from: [
              { source: { principals: [principalOf(WAYPOINT, options)] } },
              { source: { namespaces: [OBSERVABILITY] } },
            ],
          },
        ],
      },
    },
  );
}

/** The gateway is open: it decides by itself. */
export function allowEverybody(name: string, options: MeshOptions): Resource {
  return resource(
    options,
    "security.istio.io/v1 AuthorizationPolicy",
    { name: `${name}-callers`, workload: name },
    {
      spec: {
        selector: podsOf(name),
        action: "ALLOW",
        rules: [{ to: [{ operation: { ports: [String(options.port)] } }] }],
      },
    },
  );
}
