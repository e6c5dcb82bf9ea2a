import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";

/** The identity that the mesh certifies. Its token for the cluster's own API is not mounted: nobody needs it. */
export function serviceAccount(name: string, options: MeshOptions): Resource {
  return resource(
    options,
    "v1 ServiceAccount",
    { name, workload: name },
    { automountServiceAccountToken: false },
  );
}
