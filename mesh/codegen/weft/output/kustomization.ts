import type { GeneratedFile } from "./generated-file.ts";
import { yamlFile } from "./yaml-file.ts";

/** A folder of resources that an overlay lists under `resources`. */
export function kustomizeBase(header: string, files: readonly GeneratedFile[]): GeneratedFile {
  return yamlFile("kustomization.yaml", header, [
    {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: files.map(({ name }) => name),
    },
  ]);
}

/** Something done to objects of the base: a strategic merge patch and what it is for. */
export interface Patch {
  readonly kind: string;
  readonly name: string;
  /** The changed part of the object. */
  readonly change: object;
}

/** A folder that an overlay lists under `components`: its resources, and patches of what the base has. */
export function kustomizeComponent(
  header: string,
  files: readonly GeneratedFile[],
  patches: readonly Patch[],
): GeneratedFile {
  return yamlFile("kustomization.yaml", header, [
    {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      resources: files.map(({ name }) => name),
      patches: patches.map(({ kind, name, change }) => ({
        target: { kind, name },
        patch: JSON.stringify({ apiVersion: "any", kind, metadata: { name }, ...change }),
      })),
    },
  ]);
}
