/** Istio in ambient mode: one file a service, one for what holds everywhere, and values for Istio itself. */
import { hasEdge } from "../../contract/call-graph.ts";
import { type Contract, EDGE, type MeshMethod, type MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";
import { kustomizeComponent, type Patch } from "../../output/kustomization.ts";
import { yamlFile } from "../../output/yaml-file.ts";
import { retriesInMesh } from "../edge-retries.ts";
import { identityFromMesh } from "../identity-from-mesh.ts";
import { istiodValues } from "../istio/istiod-values.ts";
import { denyByDefault, strictMutualTls, telemetry } from "../istio/mesh-wide.ts";
import { routeNames } from "../route-names.ts";
import {
  allowCallers,
  allowEverybody,
  allowWaypoint,
  requestAuthentication,
} from "./authorization-policy.ts";
import { destinationRule } from "./destination-rule.ts";
import { httpRoutes } from "./http-routes.ts";
import { WAYPOINT, waypoint, waypointNetwork } from "./waypoint.ts";

export function emitIstioAmbient(contract: Contract, options: MeshOptions): GeneratedFile[] {
  const names = routeNames(contract);
  const files = contract.services.map((service) => serviceFile(service, names, options));
  if (hasEdge(contract)) files.push(yamlFile("edge.yaml", headerOfAll, [allowEverybody(EDGE, options)]));
  const everywhere = [
    waypoint(options),
    waypointNetwork(options),
    strictMutualTls(options),
    denyByDefault(options),
    ...requestAuthentication(contract, options),
    telemetry(options),
  ];
  files.push(yamlFile("mesh.yaml", headerOfAll, everywhere));
  const patches = [
    join(options),
    ...identityFromMesh("istio-ambient", contract, options),
    ...retriesInMesh(contract),
  ];
  return [...files, istiodValues("ambient"), kustomizeComponent(headerOfAll, files, patches)];
}

function serviceFile(
  service: MeshService,
  names: ReadonlyMap<MeshMethod, string>,
  options: MeshOptions,
): GeneratedFile {
  // Nothing leads to a service that only reads events.
  const called = service.methods.length > 0;
  return yamlFile(`${service.name}.yaml`, headerOf(service), [
    ...(called ? [...httpRoutes(service, names, options), destinationRule(service, options)] : []),
    ...(called ? [allowCallers(service, options)] : []),
    allowWaypoint(service.name, options),
  ]);
}

function join({ namespace }: MeshOptions): Patch {
  const labels = { "istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": WAYPOINT };
  return { kind: "Namespace", name: namespace, change: { metadata: { name: namespace, labels } } };
}
