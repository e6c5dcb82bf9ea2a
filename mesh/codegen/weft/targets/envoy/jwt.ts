/** Users' tokens, in the callee's sidecar. */
import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { outboundPorts, socketAddress } from "./places.ts";

/** Where the filter leaves the claims for the one after it. */
export const USER_CLAIMS = "user";

const KEYS = "keys-of-tokens";

/** Filter that refuses wrong tokens and lets requests without one pass: who needs a user is for RBAC to say. */
export function jwtFilters(service: MeshService, { tokens }: MeshOptions): object[] {
  const looks = service.methods.some(({ policy }) =>
    ["signed_in", "roles", "owner"].includes(policy.access.kind),
  );
  if (!tokens || !looks) return [];
  const provider = {
    issuer: tokens.issuer,
    audiences: [tokens.audience],
    forward: true,
    payload_in_metadata: USER_CLAIMS,
    remote_jwks: {
      http_uri: { uri: tokens.jwksUrl, cluster: KEYS, timeout: "2s" },
      cache_duration: "300s",
    },
  };
  const requires = { requires_any: { requirements: [{ provider_name: "users" }, { allow_missing: {} }] } };
  return [
    {
      name: "envoy.filters.http.jwt_authn",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers: { users: provider },
        rules: [{ match: { prefix: "/" }, requires }],
      },
    },
  ];
}

/**
 * Where the keys are fetched: from a service of the mesh through the sidecar's own way to it, from the process
 * itself where that publishes them, else straight from the address.
 */
export function keysCluster(name: string, callees: readonly string[], options: MeshOptions): object[] {
  const { tokens, namespace, port } = options;
  if (!tokens) return [];
  const url = new URL(tokens.jwksUrl);
  const publisher = url.hostname.endsWith(`.${namespace}.svc.cluster.local`)
    ? url.hostname.split(".")[0]!
    : "";
  const outbound = publisher === name ? port : outboundPorts(callees).get(publisher);
  const address = outbound
    ? socketAddress("127.0.0.1", outbound)
    : socketAddress(url.hostname, Number(url.port) || (url.protocol === "https:" ? 443 : 80));
  return [
    {
      name: KEYS,
      type: "STRICT_DNS",
      connect_timeout: "1s",
      load_assignment: {
        cluster_name: KEYS,
        endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
      },
    },
  ];
}
