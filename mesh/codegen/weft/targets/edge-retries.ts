import { hasEdge } from "../contract/call-graph.ts";
import { type Contract, EDGE } from "../contract/model.ts";
import type { Patch } from "../output/kustomization.ts";

/**
 * Tells the gateway's process that the mesh retries, so that a call is not repeated in two layers: it then
 * repeats on those codes only that no proxy knows.
 */
export function retriesInMesh(contract: Contract): Patch[] {
  if (!hasEdge(contract)) return [];
  const container = { name: EDGE, env: [{ name: "WEFT_RETRIES", value: "mesh" }] };
  return [
    {
      kind: "Deployment",
      name: EDGE,
      change: { spec: { template: { spec: { containers: [container] } } } },
    },
  ];
}
