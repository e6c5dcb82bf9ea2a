/** What runs in the cluster: the services of the contract, and the gateway where something is open to it. */
import { callersOf, edgeCalls, hasEdge, isOpen, reachedFrom } from "../../contract/call-graph.ts";
import { type Contract, EDGE, type MeshService, type Subscription } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";

export interface Workload {
  readonly name: string;
  /** First line of its file. */
  readonly header: string;
  readonly hasDatabase: boolean;
  /** Workloads that may open connections to it; ANY_WORKLOAD for all of the namespace. */
  readonly callers: readonly string[] | typeof ANY_WORKLOAD | typeof EVERYWHERE;
  /** Workloads it opens connections to. */
  readonly callees: readonly string[];
  readonly consumes: readonly Subscription[];
}

/** Every pod of the namespace. */
export const ANY_WORKLOAD = "any workload";
/** Every address, also outside of the cluster. */
export const EVERYWHERE = "everywhere";

export function workloadsOf(contract: Contract, options: MeshOptions): Workload[] {
  const services = contract.services.map((service) => serviceWorkload(contract, service, options));
  return hasEdge(contract) ? [...services, edgeWorkload(contract)] : services;
}

function serviceWorkload(contract: Contract, service: MeshService, options: MeshOptions): Workload {
  return {
    name: service.name,
    header: headerOf(service),
    hasDatabase: !options.stateless.has(service.name),
    callers: isOpen(service) ? ANY_WORKLOAD : callersOf(service),
    callees: reachedFrom(contract, service),
    consumes: service.consumes,
  };
}

function edgeWorkload(contract: Contract): Workload {
  return {
    name: EDGE,
    header: headerOfAll,
    hasDatabase: false,
    callers: EVERYWHERE,
    callees: reachedFrom(contract, { name: EDGE, calls: edgeCalls(contract) }),
    consumes: [],
  };
}
