/** A static Envoy beside each process: one configuration a workload, and the two files with its secrets' names. */
import { edgeCalls, hasEdge, isOpen } from "../../contract/call-graph.ts";
import { ANYBODY, type Calls, type Contract, EDGE, type MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";
import { yamlFile } from "../../output/yaml-file.ts";
import { inboundListener, processCluster } from "./inbound.ts";
import { keysCluster } from "./jwt.ts";
import { outbound } from "./outbound.ts";
import { ADMIN_PORT, outboundPorts, socketAddress } from "./places.ts";
import { secrets } from "./tls.ts";

export function emitEnvoy(contract: Contract, options: MeshOptions): GeneratedFile[] {
  const files = contract.services.map((service) =>
    yamlFile(`${service.name}.yaml`, headerOf(service), [
      bootstrap(service.name, service, callsOf(contract, service), options),
    ]),
  );
  if (hasEdge(contract)) {
    const calls = callsOf(contract, { name: EDGE, calls: edgeCalls(contract) });
    files.push(yamlFile("edge.yaml", headerOfAll, [bootstrap(EDGE, undefined, calls, options)]));
  }
  const { identity, trust } = secrets();
  return [
    ...files,
    yamlFile("sds/identity.yaml", headerOfAll, [identity]),
    yamlFile("sds/trust.yaml", headerOfAll, [trust]),
  ];
}

/** What the contract lets a workload call, with what is open to anybody. */
function callsOf(contract: Contract, caller: Pick<MeshService, "name" | "calls">): Calls[] {
  const own = new Map(caller.calls.map(({ callee, methods }) => [callee, [...methods]]));
  for (const callee of contract.services.filter(isOpen)) {
    const open = callee.methods.filter(({ policy }) => policy.callers.includes(ANYBODY));
    own.set(callee.name, [...new Set([...(own.get(callee.name) ?? []), ...open])]);
  }
  own.delete(caller.name);
  return [...own].sort(([a], [b]) => (a < b ? -1 : 1)).map(([callee, methods]) => ({ callee, methods }));
}

function bootstrap(
  name: string,
  service: MeshService | undefined,
  calls: readonly Calls[],
  options: MeshOptions,
): object {
  const callees = calls.map(({ callee }) => callee);
  const ports = outboundPorts(callees);
  const ways = calls.map(({ callee, methods }) => outbound(callee, methods, ports.get(callee)!, options));
  const inbound = service ? [inboundListener(service, options)] : [];
  return {
    node: { id: name, cluster: name },
    admin: { address: socketAddress("127.0.0.1", ADMIN_PORT) },
    static_resources: {
      listeners: [...inbound, ...ways.map(({ listener }) => listener)],
      clusters: [
        ...(service ? [processCluster(options), ...keysCluster(name, callees, options)] : []),
        ...ways.flatMap(({ clusters }) => clusters),
      ],
    },
  };
}
