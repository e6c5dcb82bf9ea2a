import { create } from "@bufbuild/protobuf";
import {
  TopologyEdge_Kind as EdgeKind,
  type EdgePart,
  EdgePartSchema,
  type TopologyEdge,
  TopologyEdgeSchema,
} from "#gen/weft/dashboard/v1/topology_pb.ts";

/** Name of the node that stands for callers outside of the mesh. */
export const OUTSIDE = "outside";

/** Its id is "FROM>TO" for calls and "FROM~TO" for events. */
export function edge(
  from: string,
  to: string,
  kind: EdgeKind,
  rest: Partial<Pick<TopologyEdge, "inContract" | "parts" | "traffic" | "breaker" | "mtls">>,
): TopologyEdge {
  return create(TopologyEdgeSchema, {
    id: `${from}${kind === EdgeKind.CALLS ? ">" : "~"}${to}`,
    from,
    to,
    kind,
    ...rest,
  });
}

export function part(name: string, rest: Partial<Pick<EdgePart, "traffic" | "breaker">> = {}): EdgePart {
  return create(EdgePartSchema, { name, ...rest });
}
