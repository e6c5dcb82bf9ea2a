/** The graph of the contract, and the traffic on it. */
import { create } from "@bufbuild/protobuf";
import {
  TopologyEdge_Breaker as Breaker,
  TopologyEdge_Kind as EdgeKind,
  type EdgePart,
  EdgePartSchema,
  TopologyNode_Kind as NodeKind,
  type Topology,
  type TopologyEdge,
  TopologyEdgeSchema,
  type TopologyNode,
  TopologyNodeSchema,
  TopologySchema,
  type Traffic,
  TrafficSchema,
} from "#gen/weft/dashboard/v1/topology_pb.ts";
import { edgeCalls } from "../../mesh/codegen/weft/contract/call-graph.ts";
import { EDGE, OPERATOR } from "../../mesh/codegen/weft/contract/model.ts";
import {
  type CallFigures,
  clientCalls,
  edgeRequests,
  isFault,
  quantileMs,
  serverCalls,
  sumOf,
  windowMs,
} from "../sources/metrics.ts";
import type { Sources } from "../sources/sources.ts";

/** Name of the node that stands for callers outside of the mesh. */
export const OUTSIDE = "outside";

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

function edge(
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

function part(name: string, rest: Partial<Pick<EdgePart, "traffic" | "breaker">> = {}): EdgePart {
  return create(EdgePartSchema, { name, ...rest });
}

function merge(planned: TopologyEdge, busy: TopologyEdge | undefined): TopologyEdge {
  if (!busy) return planned;
  const parts = new Map(busy.parts.map((each) => [each.name, each]));
  const known = planned.parts.map((each) => parts.get(each.name) ?? each);
  const more = busy.parts.filter(({ name }) => !planned.parts.some((each) => each.name === name));
  return { ...busy, inContract: true, parts: [...known, ...more] };
}

function trafficByEdge(sources: Sources): Map<string, TopologyEdge> {
  const edges = [...callTraffic(sources), ...eventTraffic(sources)];
  return new Map(edges.map((each) => [each.id, each]));
}

/** Every process that counts calls, and the name of its node. */
function* countingProcesses({ processes, config }: Sources): Generator<{ node: string; process: string }> {
  for (const { name, service, kind } of processes.states) {
    if (kind === "single") {
      for (const { name: node, url } of [...config.system.services, config.system.edge])
        yield { node: node === config.system.edge.name ? EDGE : node, process: `${name} ${url}` };
    } else if (kind !== "server") {
      yield { node: kind === "edge" ? EDGE : service, process: name };
    }
  }
}

function* countedBy(sources: Sources) {
  const { metrics } = sources;
  const now = Date.now();
  for (const { node, process } of countingProcesses(sources))
    yield { node, ...metrics.calls(process, now), breakers: metrics.values(process, "weft_breaker_state") };
}

/** Edges whose caller has ever shown its certificate: servers count by the name in it. */
function provenEver(sources: Sources): Set<string> {
  return new Set(
    [...countingProcesses(sources)].flatMap(({ node, process }) =>
      [...sources.metrics.callers(process)].map((caller) => `${caller}>${node}`),
    ),
  );
}

/** What is known of the calls of one node to another. */
interface CallEdge {
  readonly from: string;
  readonly to: string;
  seconds: number;
  readonly figures: CallFigures[];
  /** Method → its worst breaker; only of methods that were called. */
  readonly breakers: Map<string, Breaker>;
}

function callTraffic(sources: Sources): TopologyEdge[] {
  const owners = ownersOf(sources);
  const byEdge = new Map<string, CallEdge>();
  const edgeTo = (from: string, to: string): CallEdge => {
    const id = `${from}>${to}`;
    const known = byEdge.get(id) ?? { from, to, seconds: 0, figures: [], breakers: new Map() };
    byEdge.set(id, known);
    return known;
  };
  const add = (from: string, to: string, seconds: number, figure: CallFigures) => {
    const known = edgeTo(from, to);
    known.seconds = seconds;
    known.figures.push(figure);
  };
  const proven = new Set<string>();
  for (const { node: from, seconds, figures, breakers } of countedBy(sources)) {
    const incoming = incomingMetric(figures);
    for (const figure of figures) {
      if (figure.metric === clientCalls) {
        const to = figure.peer || owners.get(figure.method);
        if (to !== undefined) add(from, to, seconds, figure);
      } else if (from === EDGE && figure.metric === incoming) {
        add(OUTSIDE, EDGE, seconds, figure);
      } else if (figure.metric === serverCalls) {
        // Servers count by the name in the caller's certificate; "unknown" has none.
        proven.add(`${figure.peer}>${from}`);
      }
    }
    for (const { labels, value } of breakers) {
      const [to, method] = [labels.upstream ?? "", labels.method ?? ""];
      const known = edgeTo(from, to).breakers;
      known.set(method, worst(known.get(method), breakerOf(value)));
    }
  }
  return [...byEdge.values()]
    .filter(({ figures, breakers }) => figures.length > 0 || [...breakers.values()].some(isTripped))
    .map((each) => callEdge(each, proven));
}

function callEdge(
  { from, to, seconds, figures, breakers }: CallEdge,
  proven: ReadonlySet<string>,
): TopologyEdge {
  const tripped = [...breakers].filter(([, breaker]) => isTripped(breaker)).map(([method]) => method);
  const methods = [...new Set([...figures.map(({ method }) => method), ...tripped])].sort();
  return edge(from, to, EdgeKind.CALLS, {
    traffic: figures.length > 0 ? trafficOf(figures, seconds) : undefined,
    breaker: [...breakers.values()].reduce(worst, Breaker.BREAKER_UNSPECIFIED),
    mtls: proven.has(`${from}>${to}`),
    parts: methods.map((method) => {
      const own = figures.filter((figure) => figure.method === method);
      return part(method, {
        traffic: own.length > 0 ? trafficOf(own, seconds) : undefined,
        breaker: breakers.get(method) ?? Breaker.BREAKER_UNSPECIFIED,
      });
    }),
  });
}

/** Values of weft_breaker_state (mesh/runtime/policy/breaker-board.ts). */
function breakerOf(value: number): Breaker {
  if (value === 0) return Breaker.CLOSED;
  return value === 2 ? Breaker.OPEN : Breaker.HALF_OPEN;
}

function isTripped(breaker: Breaker): boolean {
  return breaker === Breaker.OPEN || breaker === Breaker.HALF_OPEN;
}

const severity: readonly Breaker[] = [
  Breaker.BREAKER_UNSPECIFIED,
  Breaker.CLOSED,
  Breaker.HALF_OPEN,
  Breaker.OPEN,
];

function worst(a: Breaker = Breaker.BREAKER_UNSPECIFIED, b: Breaker): Breaker {
  return severity.indexOf(a) > severity.indexOf(b) ? a : b;
}

/** What counts requests of the outside: the edge's own, where it has both. */
export function incomingMetric(figures: readonly CallFigures[]): string {
  return figures.some(({ metric }) => metric === edgeRequests) ? edgeRequests : serverCalls;
}

/** Calls that came in through the edge, and the seconds in which they did. */
export function edgeFigures(sources: Sources): { seconds: number; figures: CallFigures[] } {
  const all = [...countedBy(sources)].filter(({ node }) => node === EDGE);
  const figures = all.flatMap((each) => {
    const incoming = incomingMetric(each.figures);
    return each.figures.filter(({ metric }) => metric === incoming);
  });
  return { seconds: Math.max(0, ...all.map(({ seconds }) => seconds)), figures };
}

/** Method → name of the service that has it. */
function ownersOf({ contract: { contract } }: Sources): Map<string, string> {
  return new Map(
    contract.services.flatMap(({ name, methods }) =>
      methods.filter(({ shared }) => !shared).map(({ path }) => [path.slice(1), name] as const),
    ),
  );
}

export function trafficOf(figures: readonly CallFigures[], seconds: number): Traffic {
  const sum = sumOf(figures);
  const { codes, count } = sum;
  const faults = [...codes].reduce((sum, [code, number]) => sum + (isFault(code) ? number : 0), 0);
  return create(TrafficSchema, {
    rate: count / Math.max(seconds, 0.001),
    success: (count - faults) / count,
    count: BigInt(Math.round(count)),
    p50Ms: quantileMs(sum, 0.5),
    p95Ms: quantileMs(sum, 0.95),
    p99Ms: quantileMs(sum, 0.99),
    codes: Object.fromEntries([...codes].map(([code, number]) => [code || "OK", BigInt(Math.round(number))])),
  });
}

/** Events that readers were given between the last two looks, or that wait for them. */
function eventTraffic({ contract: { contract }, bus }: Sources): TopologyEdge[] {
  const [now, before] = bus.looks;
  if (!now) return [];
  const edges = new Map<string, TopologyEdge>();
  for (const { publisher, subject, consumers } of contract.events) {
    for (const { service, durable } of consumers) {
      const info = now.consumers.find(({ name }) => name === durable);
      if (!info) continue;
      const earlier = before?.consumers.find(({ name }) => name === durable);
      const given = earlier ? info.delivered.consumer_seq - earlier.delivered.consumer_seq : 0;
      const lag = info.num_pending + info.num_ack_pending;
      if (given <= 0 && lag === 0) continue;
      const seconds = before ? (now.at - before.at) / 1_000 : windowMs / 1_000;
      const traffic = create(TrafficSchema, {
        rate: Math.max(0, given) / seconds,
        success: 1,
        count: BigInt(Math.max(0, given)),
        lag: BigInt(lag),
      });
      const id = `${publisher}~${service}`;
      const known = edges.get(id) ?? edge(publisher, service, EdgeKind.EVENTS, {});
      known.parts.push(part(subject, { traffic }));
      known.traffic = known.traffic ? addTraffic(known.traffic, traffic) : traffic;
      edges.set(id, known);
    }
  }
  return [...edges.values()];
}

function addTraffic(a: Traffic, b: Traffic): Traffic {
  return create(TrafficSchema, {
    rate: a.rate + b.rate,
    success: 1,
    count: a.count + b.count,
    lag: (a.lag ?? 0n) + (b.lag ?? 0n),
  });
}
