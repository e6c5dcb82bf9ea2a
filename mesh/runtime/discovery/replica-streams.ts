import type { StreamSource } from "../rpc/grpc/call-unary.ts";
import type { Http2Sessions } from "../rpc/http2-sessions.ts";
import type { Balancer } from "./balancer.ts";
import { watchOutcome } from "./stream-outcome.ts";

/** Streams to the replicas of a service: each goes to the one that is picked for it. */
export function replicaStreams(balancer: Balancer<Http2Sessions>): StreamSource {
  return {
    origin: balancer.origin,
    get size() {
      return balancer.size;
    },
    request(headers) {
      const endpoint = balancer.pick();
      const stream = endpoint.connections.request(headers);
      // One alone is never left out: nothing to find out about it.
      if (balancer.size > 1)
        watchOutcome(stream, headers["grpc-timeout"], (outcome) => balancer.note(endpoint, outcome));
      return stream;
    },
  };
}
