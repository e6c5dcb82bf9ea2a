import type { Balancer } from "#mesh/runtime/discovery/balancer.ts";
import type { Outcome } from "#mesh/runtime/discovery/endpoint.ts";
import type { CallTarget, CallTargets } from "./calls.ts";
import type { Pool } from "./pool.ts";

/** Calls to the replicas of a service: each goes to the one that is picked for it. */
export function replicaCalls(balancer: Balancer<Pool>): CallTargets {
  const { host, protocol } = new URL(balancer.origin);
  return {
    authority: host,
    scheme: protocol.slice(0, -1),
    get hasOthers() {
      return balancer.size > 1;
    },
    pick(): CallTarget {
      const endpoint = balancer.pick();
      // One alone is never left out: nothing to find out about it.
      if (balancer.size === 1) return endpoint.connections;
      return {
        open: (block, listener) => endpoint.connections.open(block, listener),
        note: (outcome: Outcome) => balancer.note(endpoint, outcome),
      };
    },
  };
}
