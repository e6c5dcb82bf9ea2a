/**
 * The plugin in one look: request of the compiler → contract (contract/, checks/) → files of each target
 * (targets/), written in forms that output/ knows. report/ says what became of each option.
 */
import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  type CodeGeneratorResponse,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  Edition,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { Plugin } from "@bufbuild/protoplugin";
import { readContract } from "./contract/read-contract.ts";
import { parseOptions } from "./options.ts";
import { type TargetName, targets } from "./targets/targets.ts";

export const weftPlugin: Plugin = { name: "protoc-gen-weft", version: "v1", run };

/**
 * The response for one run of the compiler: the files of all targets asked for. What is wrong with the contract
 * comes back as the response's `error`, all of it at once, and then no file.
 */
function run(request: CodeGeneratorRequest): CodeGeneratorResponse {
  const response = create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(
      CodeGeneratorResponse_Feature.PROTO3_OPTIONAL | CodeGeneratorResponse_Feature.SUPPORTS_EDITIONS,
    ),
    minimumEdition: Edition.EDITION_PROTO2,
    maximumEdition: Edition.EDITION_2024,
  });
  try {
    const options = parseOptions(request.parameter, Object.keys(targets));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
    const contract = readContract(registry, request.fileToGenerate);
    if (contract.services.length === 0) return response;
    for (const [target, folder] of options.targets) {
      for (const { name, content } of targets[target as TargetName](contract, options)) {
        const path = folder ? `${folder}/${name}` : name;
        response.file.push({
          $typeName: "google.protobuf.compiler.CodeGeneratorResponse.File",
          name: path,
          insertionPoint: "",
          content,
        });
      }
    }
  } catch (error) {
    response.error = error instanceof Error ? error.message : String(error);
  }
  return response;
}
