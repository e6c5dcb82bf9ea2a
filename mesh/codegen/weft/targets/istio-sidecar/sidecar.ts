import type { MeshOptions } from "../../options.ts";
import { hostOf, podsOf, type Resource, resource } from "../../output/resource.ts";
import { OBSERVABILITY } from "../istio/mesh-wide.ts";

/** What a workload's proxy knows of: its callees, the bus, its database; it goes nowhere else. */
export function sidecar(name: string, callees: readonly string[], options: MeshOptions): Resource {
  const databases = options.stateless.has(name) ? [] : [`${name}-db-rw`];
  const hosts = [...callees, ...databases, "nats"].map((host) => `./${hostOf(host, options)}`);
  return resource(
    options,
    "networking.istio.io/v1 Sidecar",
    { name, workload: name },
    {
      spec: {
        workloadSelector: { labels: podsOf(name).matchLabels },
        egress: [{ hosts: [...hosts, `${OBSERVABILITY}/*`, "istio-system/*"] }],
        outboundTrafficPolicy: { mode: "REGISTRY_ONLY" },
      },
    },
  );
}
