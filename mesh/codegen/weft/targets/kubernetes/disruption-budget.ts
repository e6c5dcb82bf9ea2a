import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";

/** Nodes are drained one pod of a workload at a time. */
export function disruptionBudget(name: string, options: MeshOptions): Resource {
  return resource(
    options,
    "policy/v1 PodDisruptionBudget",
    { name, workload: name },
    { spec: { selector: podsOf(name), maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" } },
  );
}
