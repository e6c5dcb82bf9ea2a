import type { Contract } from "../contract/model.ts";
import type { MeshOptions } from "../options.ts";
import type { Patch } from "../output/kustomization.ts";
import { workloadsOf } from "./kubernetes/workload.ts";

/** Values of WEFT_MESH (mesh/runtime/config.ts) for those who have a mesh. */
type Mesh = "istio" | "istio-ambient" | "linkerd";

/** Tells every process that the mesh encrypts, and from which header it may take who calls. */
export function identityFromMesh(mesh: Mesh, contract: Contract, options: MeshOptions): Patch[] {
  return workloadsOf(contract, options).map(({ name }) => {
    const container = { name, env: [{ name: "WEFT_MESH", value: mesh }] };
    return {
      kind: "Deployment",
      name,
      change: { spec: { template: { spec: { containers: [container] } } } },
    };
  });
}
