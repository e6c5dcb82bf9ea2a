/** Linkerd: one file a service, one for sets of callers, and patches of the base's Services. */
import { hasEdge } from "../../contract/call-graph.ts";
import { type Contract, EDGE, type MeshMethod, type MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";
import { kustomizeComponent, type Patch } from "../../output/kustomization.ts";
import { yamlFile } from "../../output/yaml-file.ts";
import { retriesInMesh } from "../edge-retries.ts";
import { identityFromMesh } from "../identity-from-mesh.ts";
import { routeNames } from "../route-names.ts";
import { admission, admitEverybody } from "./admission.ts";
import { authentications } from "./authentications.ts";
import { failureAccrual } from "./breaker.ts";
import { type CallerSets, callerSets } from "./caller-sets.ts";
import { outboundRoutes } from "./outbound-routes.ts";
import { server } from "./server.ts";

export function emitLinkerd(contract: Contract, options: MeshOptions): GeneratedFile[] {
  const { services } = contract;
  const routes = routeNames(contract);
  const callers = callerSets(contract);
  const files = services.map((service) => serviceFile(service, routes, callers, options));
  if (hasEdge(contract)) {
    const resources = [server(EDGE, options), ...admitEverybody(EDGE, options)];
    files.push(yamlFile("edge.yaml", headerOfAll, resources));
  }
  files.push(yamlFile("callers.yaml", headerOfAll, authentications(callers, options)));
  const patches = [
    inject(options),
    ...services.filter(({ methods }) => methods.length > 0).map(failureAccrual),
    ...identityFromMesh("linkerd", contract, options),
    ...retriesInMesh(contract),
  ];
  return [...files, kustomizeComponent(headerOfAll, files, patches)];
}

function serviceFile(
  service: MeshService,
  routes: ReadonlyMap<MeshMethod, string>,
  callers: CallerSets,
  options: MeshOptions,
): GeneratedFile {
  return yamlFile(`${service.name}.yaml`, headerOf(service), [
    server(service.name, options),
    ...admission(service, callers, options),
    ...outboundRoutes(service, routes, options),
  ]);
}

/** 4222 is NATS: its server speaks first, so the proxy must not wait to detect a protocol; 5432 is the database. */
function inject({ namespace }: MeshOptions): Patch {
  return {
    kind: "Namespace",
    name: namespace,
    change: {
      metadata: {
        name: namespace,
        annotations: { "linkerd.io/inject": "enabled", "config.linkerd.io/opaque-ports": "4222,5432" },
      },
    },
  };
}
