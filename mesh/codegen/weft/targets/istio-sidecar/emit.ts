/** Istio with sidecars: one file a service, one for what holds everywhere, and values for Istio itself. */
import { edgeCalls, hasEdge, reachedFrom } from "../../contract/call-graph.ts";
import { type Contract, EDGE, type MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOf, headerOfAll } from "../../output/header.ts";
import { kustomizeComponent } from "../../output/kustomization.ts";
import type { Resource } from "../../output/resource.ts";
import { yamlFile } from "../../output/yaml-file.ts";
import { retriesInMesh } from "../edge-retries.ts";
import { identityFromMesh } from "../identity-from-mesh.ts";
import { istiodValues } from "../istio/istiod-values.ts";
import { looksAtUsers } from "../istio/jwt-rules.ts";
import { denyByDefault, strictMutualTls, telemetry } from "../istio/mesh-wide.ts";
import { keysPublisher } from "../keys-publisher.ts";
import { allowCallers, allowEverybody } from "./authorization-policy.ts";
import { destinationRule } from "./destination-rule.ts";
import { requestAuthentication } from "./request-authentication.ts";
import { sidecar } from "./sidecar.ts";
import { subsetsOf } from "./subsets.ts";
import { virtualService } from "./virtual-service.ts";

export function emitIstioSidecar(contract: Contract, options: MeshOptions): GeneratedFile[] {
  const files = contract.services.map((service) => serviceFile(contract, service, options));
  if (hasEdge(contract)) files.push(edgeFile(contract, options));
  const everywhere = [strictMutualTls(options), denyByDefault(options), telemetry(options)];
  files.push(yamlFile("mesh.yaml", headerOfAll, everywhere));
  const patches = [
    {
      kind: "Namespace",
      name: options.namespace,
      change: { metadata: { name: options.namespace, labels: { "istio-injection": "enabled" } } },
    },
    ...identityFromMesh("istio", contract, options),
    ...retriesInMesh(contract),
  ];
  return [...files, istiodValues("sidecar"), kustomizeComponent(headerOfAll, files, patches)];
}

function serviceFile(contract: Contract, service: MeshService, options: MeshOptions): GeneratedFile {
  return yamlFile(`${service.name}.yaml`, headerOf(service), [
    ...routing(service, options),
    allowCallers(service, options),
    ...requestAuthentication(service, options),
    sidecar(service.name, hostsOf(contract, service, options), options),
  ]);
}

/** Callees, and who publishes the keys of tokens to a proxy that checks them: that may be the service itself. */
function hostsOf(contract: Contract, service: MeshService, options: MeshOptions): string[] {
  const publisher = looksAtUsers(service, options) ? keysPublisher(options) : undefined;
  const hosts = new Set(reachedFrom(contract, service));
  if (publisher !== undefined) hosts.add(publisher);
  return [...hosts].sort();
}

/** Nothing leads to a service that only reads events. */
function routing(service: MeshService, options: MeshOptions): Resource[] {
  if (service.methods.length === 0) return [];
  const subsets = subsetsOf(service);
  return [virtualService(service, subsets, options), destinationRule(service, subsets, options)];
}

function edgeFile(contract: Contract, options: MeshOptions): GeneratedFile {
  const reached = reachedFrom(contract, { name: EDGE, calls: edgeCalls(contract) });
  return yamlFile("edge.yaml", headerOfAll, [
    allowEverybody(EDGE, options),
    sidecar(EDGE, reached, { ...options, stateless: new Set([EDGE]) }),
  ]);
}
