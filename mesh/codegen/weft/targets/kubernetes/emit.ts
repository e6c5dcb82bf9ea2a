/** The cluster: a file for each workload, one for the namespace, and components for certificates, backups and secrets. */
import { type Contract, OPERATOR } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOfAll } from "../../output/header.ts";
import { kustomizeBase, kustomizeComponent, type Patch } from "../../output/kustomization.ts";
import type { Resource } from "../../output/resource.ts";
import { yamlFile } from "../../output/yaml-file.ts";
import { certificate, mountCertificate } from "./certificates.ts";
import { databases, nightlyBackup } from "./database.ts";
import { deployment } from "./deployment.ts";
import { disruptionBudget } from "./disruption-budget.ts";
import { externalSecrets } from "./external-secrets.ts";
import { natsUsers } from "./nats-users.ts";
import { denyByDefault, networkPolicy } from "./network-policy.ts";
import { scaling } from "./scaling.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./service-account.ts";
import { type Workload, workloadsOf } from "./workload.ts";

export function emitKubernetes(contract: Contract, options: MeshOptions): GeneratedFile[] {
  const workloads = workloadsOf(contract, options);
  const files = workloads.map((workload) => workloadFile(workload, options));
  const accounts = operator(contract).map((name) => serviceAccount(name, options));
  const everywhere = [namespace(options), denyByDefault(options), ...accounts];
  files.push(yamlFile("namespace.yaml", headerOfAll, everywhere));
  files.push(yamlFile("nats-users.yaml", headerOfAll, [natsUsers(contract, options)]));
  return [
    ...files,
    kustomizeBase(headerOfAll, files),
    ...component(
      "certificates",
      [...workloads.map(({ name }) => name), ...operator(contract)].map((name) => certificate(name, options)),
      workloads.map((workload) => mountCertificate(workload, options)),
    ),
    ...component(
      "backups",
      workloads.flatMap((workload) => nightlyBackup(workload, options)),
    ),
    ...component("external-secrets", externalSecrets(workloads, options)),
  ];
}

function workloadFile(workload: Workload, options: MeshOptions): GeneratedFile {
  const { name } = workload;
  return yamlFile(`${name}.yaml`, workload.header, [
    serviceAccount(name, options),
    deployment(workload, options),
    service(name, options),
    scaling(workload, options),
    disruptionBudget(name, options),
    networkPolicy(workload, options),
    ...databases(workload, options),
  ]);
}

/** Pods that could do harm to their node are refused (Pod Security Standards). */
function namespace({ namespace: name }: MeshOptions): Resource {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "baseline" } },
  };
}

/** The identity of whoever runs the mesh, where a method admits it. */
function operator({ services }: Contract): (typeof OPERATOR)[] {
  const admitted = services.some(({ methods }) =>
    methods.some(({ policy }) => policy.callers.includes(OPERATOR)),
  );
  return admitted ? [OPERATOR] : [];
}

/** A folder that an overlay may take or leave. */
function component(
  folder: string,
  resources: readonly Resource[],
  patches: readonly Patch[] = [],
): GeneratedFile[] {
  if (resources.length === 0) return [];
  const file = yamlFile(`${folder}.yaml`, headerOfAll, resources);
  return [file, kustomizeComponent(headerOfAll, [file], patches)].map(({ name, content }) => ({
    name: `${folder}/${name}`,
    content,
  }));
}
