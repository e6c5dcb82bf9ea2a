import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";

/** Namespace whose workloads may read metrics. */
export const OBSERVABILITY = "observability";

/** Plain text is refused. */
export function strictMutualTls(options: MeshOptions): Resource {
  return resource(
    options,
    "security.istio.io/v1 PeerAuthentication",
    { name: "mutual-tls-only" },
    { spec: { mtls: { mode: "STRICT" } } },
  );
}

/** A policy that allows nothing: what no other policy allows is refused. */
export function denyByDefault(options: MeshOptions): Resource {
  return resource(
    options,
    "security.istio.io/v1 AuthorizationPolicy",
    { name: "deny-by-default" },
    { spec: {} },
  );
}

/** A line of log for each call that failed, and the share of traces that is kept. */
export function telemetry(options: MeshOptions): Resource {
  return resource(
    options,
    "telemetry.istio.io/v1 Telemetry",
    { name: "calls" },
    {
      spec: {
        accessLogging: [
          {
            providers: [{ name: "envoy" }],
            filter: { expression: "response.code >= 400 || response.grpc_status != 0" },
          },
        ],
        tracing: [{ randomSamplingPercentage: 10 }],
      },
    },
  );
}
