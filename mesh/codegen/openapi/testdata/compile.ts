/** Compiles the .proto files under testdata/in, and those of the repository, with buf, as the compiler of the plugin would. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { openapiPlugin } from "../plugin.ts";

export const root = join(import.meta.dirname, "../../../..");
const modules = ["proto", "third_party", "mesh/codegen/openapi/testdata/in"].map((path) => ({ path }));

/**
 * Descriptors, comments included, of the files under `path` and of all they import.
 * @param path folder, from the root of the repository
 */
export function compile(path: string): FileDescriptorSet {
  const config = JSON.stringify({ version: "v2", modules });
  const args = ["build", ".", "--config", config, "--path", path, "--as-file-descriptor-set", "-o", "-"];
  const image = execFileSync(join(root, "node_modules/.bin/buf"), args, { cwd: root, maxBuffer: 64 << 20 });
  return fromBinary(FileDescriptorSetSchema, image);
}

/** Runs the plugin for the files of `set` whose name starts with `prefix`. */
export function generate(set: FileDescriptorSet, prefix: string, parameter = ""): CodeGeneratorResponse {
  const fileToGenerate = set.file.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  return openapiPlugin.run(
    create(CodeGeneratorRequestSchema, { fileToGenerate, parameter, protoFile: set.file }),
  );
}
