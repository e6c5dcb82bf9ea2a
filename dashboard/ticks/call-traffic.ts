/** Calls of the last seconds, from node to node, by what callers count; and what is known of their breakers. */
import { create } from "@bufbuild/protobuf";
import {
  TopologyEdge_Breaker as Breaker,
  TopologyEdge_Kind as EdgeKind,
  type TopologyEdge,
  type Traffic,
  TrafficSchema,
} from "#gen/weft/dashboard/v1/topology_pb.ts";
import { EDGE } from "../../mesh/codegen/weft/contract/model.ts";
import {
  type CallFigures,
  clientCalls,
  edgeRequests,
  isFault,
  quantileMs,
  serverCalls,
  sumOf,
} from "../sources/metrics.ts";
import type { Sources } from "../sources/sources.ts";
import { type FiguresOf, figuresOf } from "./figures-of.ts";
import { edge, OUTSIDE, part } from "./topology-edge.ts";

function allFigures(sources: Sources): FiguresOf[] {
  return sources.processes.states.flatMap((state) => figuresOf(sources, state));
}

function countedBy(sources: Sources) {
  const { metrics } = sources;
  const now = Date.now();
  return allFigures(sources).map(({ node, name, inMemory }) => ({
    node,
    inMemory,
    ...metrics.calls(name, now),
    breakers: metrics.values(name, "weft_breaker_state"),
  }));
}

/** Edges whose caller has ever shown its certificate: servers count by the name in it. */
export function provenEver(sources: Sources): Set<string> {
  return new Set(
    allFigures(sources).flatMap(({ node, name, inMemory }) =>
      [...sources.metrics.callers(name)]
        .filter((caller) => !inMemory || caller === EDGE)
        .map((caller) => `${caller}>${node}`),
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

export function callTraffic(sources: Sources): TopologyEdge[] {
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
  for (const { node: from, inMemory, seconds, figures, breakers } of countedBy(sources)) {
    const incoming = incomingMetric(figures);
    for (const figure of figures) {
      if (figure.metric === clientCalls) {
        const to = figure.peer || owners.get(figure.method);
        if (to !== undefined) add(from, to, seconds, figure);
      } else if (from === EDGE && figure.metric === incoming) {
        add(OUTSIDE, EDGE, seconds, figure);
      } else if (figure.metric === serverCalls && (!inMemory || figure.peer === EDGE)) {
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
function incomingMetric(figures: readonly CallFigures[]): string {
  return figures.some(({ metric }) => metric === edgeRequests) ? edgeRequests : serverCalls;
}

/** Calls that came in through the edge, and the seconds in which they did. */
export function edgeFigures(sources: Sources): { seconds: number; figures: CallFigures[] } {
  const all = countedBy(sources).filter(({ node }) => node === EDGE);
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
