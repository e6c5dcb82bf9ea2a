/** A PostgreSQL cluster for each service that keeps something, which no other may reach. */
import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";
import type { Workload } from "./workload.ts";

export function databases({ name, hasDatabase }: Workload, options: MeshOptions): Resource[] {
  return hasDatabase ? [cluster(name, options), reachedByItsServiceOnly(name, options)] : [];
}

/** CloudNativePG names the database's Secret NAME-db-app and its Service NAME-db-rw. */
function cluster(name: string, options: MeshOptions): Resource {
  const owned = name.replaceAll("-", "_");
  return resource(
    options,
    "postgresql.cnpg.io/v1 Cluster",
    { name: `${name}-db`, workload: name },
    {
      spec: {
        instances: 1,
        bootstrap: { initdb: { database: owned, owner: owned } },
        // What a client was told is committed survives the loss of the primary.
        postgresql: {
          parameters: { max_connections: "200", synchronous_commit: "on" },
        },
        storage: { size: "2Gi" },
        resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
        inheritedMetadata: {
          annotations: { "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled" },
          labels: { "istio.io/dataplane-mode": "none" },
        },
      },
    },
  );
}

function reachedByItsServiceOnly(name: string, options: MeshOptions): Resource {
  const own = { podSelector: { matchLabels: { "cnpg.io/cluster": `${name}-db` } } };
  const operator = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "cnpg-system" } },
  };
  const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: "TCP", port }));
  return resource(
    options,
    "networking.k8s.io/v1 NetworkPolicy",
    { name: `${name}-db`, workload: name },
    {
      spec: {
        podSelector: own.podSelector,
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          { from: [{ podSelector: podsOf(name) }], ports: tcp(5_432) },
          { from: [own, operator], ports: tcp(5_432, 8_000) },
        ],
        // Replicas, the cluster's API, and wherever backups go.
        egress: [{}],
      },
    },
  );
}

/** A backup of each database every night, for sizes that keep backups. */
export function nightlyBackup({ name, hasDatabase }: Workload, options: MeshOptions): Resource[] {
  if (!hasDatabase) return [];
  return [
    resource(
      options,
      "postgresql.cnpg.io/v1 ScheduledBackup",
      { name: `${name}-db`, workload: name },
      {
        spec: {
          cluster: { name: `${name}-db` },
          // Six fields: second, minute, hour, ...
          schedule: "0 0 2 * * *",
          method: "volumeSnapshot",
          backupOwnerReference: "self",
        },
      },
    ),
  ];
}
