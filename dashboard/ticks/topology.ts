/** The graph of the contract, and the traffic on it. */
import { create } from "@bufbuild/protobuf";
import {
  TopologyEdge_Kind as EdgeKind,
  TopologyNode_Kind as NodeKind,
  type Topology,
  type TopologyEdge,
  type TopologyNode,
  TopologyNodeSchema,
  TopologySchema,
} from "#gen/weft/dashboard/v1/topology_pb.ts";
import { edgeCalls } from "../../mesh/codegen/weft/contract/call-graph.ts";
import { EDGE, OPERATOR } from "../../mesh/codegen/weft/contract/model.ts";
import type { Sources } from "../sources/sources.ts";
import { callTraffic, provenEver } from "./call-traffic.ts";
import { eventTraffic } from "./event-traffic.ts";
import { edge, OUTSIDE, part } from "./topology-edge.ts";

/** Everything that may be, with the traffic there is. */
export function topologyOf(sources: Sources): Topology {
  const { contract } = sources.contract;
  const traffic = trafficByEdge(sources);
  const planned = plannedEdges(sources);
  const proven = provenEver(sources);
  for (const each of planned) each.mtls = proven.has(each.id);
  const ids = new Set(planned.map(({ id }) => id));
  const found = [...traffic.values()].filter(({ id }) => !ids.has(id));
  return create(TopologySchema, {
    nodes: [
      node(OUTSIDE, NodeKind.OUTSIDE, "Callers outside of the mesh."),
      node(EDGE, NodeKind.EDGE, "The way in: REST, gRPC, gRPC-Web and Connect."),
      ...contract.services.map(({ name, about }) => node(name, NodeKind.SERVICE, about)),
    ],
    edges: [...planned.map((edge) => merge(edge, traffic.get(edge.id))), ...found],
  });
}

/** Only edges with traffic, or a breaker that is not closed; of their parts those with traffic. */
export function busyEdges(sources: Sources): TopologyEdge[] {
  return [...trafficByEdge(sources).values()];
}

function node(name: string, kind: NodeKind, about: string): TopologyNode {
  return create(TopologyNodeSchema, { name, kind, about });
}

function plannedEdges({ contract: { contract } }: Sources): TopologyEdge[] {
  const calls = [
    { caller: EDGE, calls: edgeCalls(contract) },
    ...contract.services.map(({ name, calls }) => ({ caller: name, calls })),
  ].flatMap(({ caller, calls }) =>
    calls.map(({ callee, methods }) =>
      edge(caller, callee, EdgeKind.CALLS, {
        inContract: true,
        parts: methods.map(({ path }) => part(path.slice(1))),
      }),
    ),
  );
  const events = new Map<string, TopologyEdge>();
  for (const { publisher, subject, consumers } of contract.events) {
    for (const { service } of consumers) {
      const id = `${publisher}~${service}`;
      const known = events.get(id) ?? edge(publisher, service, EdgeKind.EVENTS, { inContract: true });
      known.parts.push(part(subject));
      events.set(id, known);
    }
  }
  const outside = edge(OUTSIDE, EDGE, EdgeKind.CALLS, { inContract: true });
  return [outside, ...calls.filter(({ from }) => from !== OPERATOR), ...events.values()];
}

function merge(planned: TopologyEdge, busy: TopologyEdge | undefined): TopologyEdge {
  if (!busy) return planned;
  const parts = new Map(busy.parts.map((each) => [each.name, each]));
  const known = planned.parts.map((each) => parts.get(each.name) ?? each);
  const more = busy.parts.filter(({ name }) => !planned.parts.some((each) => each.name === name));
  return { ...busy, mtls: busy.mtls || planned.mtls, inContract: true, parts: [...known, ...more] };
}

function trafficByEdge(sources: Sources): Map<string, TopologyEdge> {
  const edges = [...callTraffic(sources), ...eventTraffic(sources)];
  return new Map(edges.map((each) => [each.id, each]));
}
