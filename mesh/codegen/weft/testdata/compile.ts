/** Compiles .proto files with buf, as the compiler of the plugin would, and runs the plugin on them. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { weftPlugin } from "../plugin.ts";

export const root = join(import.meta.dirname, "../../../..");

/**
 * Descriptors, comments and places included, of the files under `path` and of all they import.
 * @param path folder, from the root of the repository
 * @param roots folders with .proto files, besides the repository's own
 */
export function compile(path: string, roots: readonly string[] = []): FileDescriptorSet {
  const modules = ["proto", "third_party", ...roots].map((module) => ({ path: module }));
  const config = JSON.stringify({ version: "v2", modules });
  const args = ["build", ".", "--config", config, "--path", path, "--as-file-descriptor-set", "-o", "-"];
  const image = execFileSync(join(root, "node_modules/.bin/buf"), args, { cwd: root, maxBuffer: 256 << 20 });
  return fromBinary(FileDescriptorSetSchema, image);
}

/** The .proto files under testdata/in. */
export function compileTestdata(): FileDescriptorSet {
  return compile("mesh/codegen/weft/testdata/in/library", ["mesh/codegen/weft/testdata/in"]);
}

/** Runs the plugin for the files of `set` whose name starts with `prefix`. */
export function generate(set: FileDescriptorSet, prefix: string, parameter: string): CodeGeneratorResponse {
  const fileToGenerate = set.file.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  return weftPlugin.run(
    create(CodeGeneratorRequestSchema, { fileToGenerate, parameter, protoFile: set.file }),
  );
}
