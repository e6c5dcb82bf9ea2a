import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubernetesObject } from "./kubernetes-schema.ts";

export const root = join(import.meta.dirname, "../..");

/** Objects of the YAML files of a folder and below, without kustomizations and Helm values. */
export function objectsOf(folder: string): KubernetesObject[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && !/kustomization|values/.test(name))
    .sort()
    .flatMap((name) => objectsIn(readFileSync(join(root, folder, name), "utf8")));
}

export function objectsIn(text: string): KubernetesObject[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}
