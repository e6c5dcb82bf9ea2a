/** Where passwords come from: a secret store outside of the cluster, by way of External Secrets. */
import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";
import { secretOf } from "./environment.ts";
import { passwordVariable } from "./nats-users.ts";
import type { Workload } from "./workload.ts";

/** Name of the ClusterSecretStore, which each cluster has its own of. */
const STORE = "weft";

/** A Secret for each workload, and one with the passwords that the bus checks. */
export function externalSecrets(workloads: readonly Workload[], options: MeshOptions): Resource[] {
  const own = workloads.map(({ name }) =>
    externalSecret(secretOf(name), options, [fromStore("nats-password", name, "nats-password")]),
  );
  const passwords = workloads.map(({ name }) => fromStore(passwordVariable(name), name, "nats-password"));
  return [...own, externalSecret("nats-passwords", options, passwords)];
}

function fromStore(secretKey: string, entry: string, property: string): object {
  return { secretKey, remoteRef: { key: `weft/${entry}`, property } };
}

function externalSecret(name: string, options: MeshOptions, data: object[]): Resource {
  return resource(
    options,
    "external-secrets.io/v1 ExternalSecret",
    { name },
    {
      spec: {
        refreshInterval: "1h",
        secretStoreRef: { kind: "ClusterSecretStore", name: STORE },
        target: { name, creationPolicy: "Owner" },
        data,
      },
    },
  );
}
