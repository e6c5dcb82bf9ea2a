import { create } from "@bufbuild/protobuf";
import {
  TopologyEdge_Kind as EdgeKind,
  type TopologyEdge,
  type Traffic,
  TrafficSchema,
} from "#gen/weft/dashboard/v1/topology_pb.ts";
import { windowMs } from "../sources/metrics.ts";
import type { Sources } from "../sources/sources.ts";
import { edge, part } from "./topology-edge.ts";

/** Events that readers were given in the last seconds, or that wait for them. */
export function eventTraffic({ contract: { contract }, bus }: Sources): TopologyEdge[] {
  const [now, before] = [bus.looks[0], bus.looks.length > 1 ? bus.looks.at(-1) : undefined];
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
