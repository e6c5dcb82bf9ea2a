/** Users' tokens, in the callee's sidecar. */
import type { MeshMethod, MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { keysPublisher } from "../keys-publisher.ts";
import { outboundPorts, socketAddress } from "./places.ts";

/** Where the filter leaves the claims for the one after it. */
export const USER_CLAIMS = "user";

const KEYS = "keys-of-tokens";

/** Whether a method wants to know its user, and sidecars can tell. */
export function looksAtUser({ policy: { access } }: MeshMethod, { tokens }: MeshOptions): boolean {
  return tokens !== undefined && ["signed_in", "roles", "owner"].includes(access.kind);
}

/**
 * Filter that answers UNAUTHENTICATED where a method wants a user and there is no good token. Elsewhere nobody looks
 * at a token, so that one which has expired does no harm there.
 */
export function tokenFilters({ methods }: MeshService, options: MeshOptions): object[] {
  const { tokens } = options;
  const asking = methods.filter((method) => looksAtUser(method, options));
  if (!tokens || asking.length === 0) return [];
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
  return [
    {
      name: "envoy.filters.http.jwt_authn",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers: { users: provider },
        rules: asking.map(({ path }) => ({ match: { path }, requires: { provider_name: "users" } })),
      },
    },
  ];
}

/**
 * Where the keys are fetched: from a service of the mesh through the sidecar's own way to it, from the process
 * itself where that publishes them, else straight from the address.
 */
export function keysCluster(name: string, callees: readonly string[], options: MeshOptions): object[] {
  const { tokens, port } = options;
  if (!tokens) return [];
  const url = new URL(tokens.jwksUrl);
  const publisher = keysPublisher(options) ?? "";
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
