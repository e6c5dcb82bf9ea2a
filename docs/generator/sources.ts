/** What the pages are made of: sources of the repository, and its contract with comments. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createFileRegistry, type DescFile, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

export const root = resolve(import.meta.dirname, "../..");
export const textOf = (path: string) => readFileSync(join(root, path), "utf8");

/** Paths of the sources below a folder, without tests. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith(".ts") && !/\.test\.ts$|\/testdata\//.test(path))
    .sort();
}

/** Files of the contract, by path. */
export function contractFiles(): DescFile[] {
  const set = fromBinary(
    FileDescriptorSetSchema,
    readFileSync(join(root, "gen/descriptors-with-comments.binpb")),
  );
  return [...createFileRegistry(set).files].sort((a, b) => a.proto.name.localeCompare(b.proto.name));
}
