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
