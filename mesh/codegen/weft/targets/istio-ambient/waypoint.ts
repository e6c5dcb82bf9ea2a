import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";

export const WAYPOINT = "waypoint";

/** The proxy that all calls between services of the namespace go through; ztunnels bring them to it. */
export function waypoint(options: MeshOptions): Resource {
  return resource(
    options,
    "gateway.networking.k8s.io/v1 Gateway",
    { name: WAYPOINT },
    {
      spec: {
        gatewayClassName: "istio-waypoint",
        listeners: [
          { name: "mesh", port: 15_008, protocol: "HBONE", allowedRoutes: { namespaces: { from: "Same" } } },
        ],
      },
    },
  );
}

/** Calls come to the waypoint from the whole namespace and go on to all of it; the control plane tells it routes. */
export function waypointNetwork(options: MeshOptions): Resource {
  const namespace = { podSelector: {} };
  const system = {
    namespaceSelector: {
      matchExpressions: [
        { key: "kubernetes.io/metadata.name", operator: "In", values: ["istio-system", "kube-system"] },
      ],
    },
  };
  return resource(
    options,
    "networking.k8s.io/v1 NetworkPolicy",
    { name: WAYPOINT },
    {
      spec: {
        podSelector: { matchLabels: { "gateway.networking.k8s.io/gateway-name": WAYPOINT } },
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [namespace] }],
        egress: [{ to: [namespace, system] }],
      },
    },
  );
}
