/** Kubernetes objects as plain values. */
import type { MeshOptions } from "../options.ts";

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [part: string]: unknown;
}

/** Label by which pods of a workload are selected. */
export const NAME_LABEL = "app.kubernetes.io/name";

/**
 * An object in the mesh's namespace.
 * @param type such as "apps/v1 Deployment" or "v1 Service"
 * @param metadata.workload whose it is; left out for what belongs to all
 * @param parts spec, data, rules, ...
 */
export function resource(
  { namespace }: MeshOptions,
  type: `${string} ${string}`,
  metadata: { name: string; workload?: string; annotations?: Record<string, string> },
  parts: object,
): Resource {
  const [apiVersion, kind] = type.split(" ") as [string, string];
  return {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      namespace,
      labels: {
        ...(metadata.workload && { [NAME_LABEL]: metadata.workload }),
        "app.kubernetes.io/managed-by": "protoc-gen-weft",
      },
      ...(metadata.annotations && { annotations: metadata.annotations }),
    },
    ...parts,
  };
}

/** Selects the pods of a workload. */
export function podsOf(workload: string): { matchLabels: Record<string, string> } {
  return { matchLabels: { [NAME_LABEL]: workload } };
}

/** DNS name of a service in the cluster. */
export function hostOf(name: string, { namespace }: MeshOptions): string {
  return `${name}.${namespace}.svc.cluster.local`;
}
