/**
 * The plugin in one look: request of the compiler → contract (contract/) → document (document/).
 * schema/ says how messages look in ProtoJSON, rules/ what protovalidate adds to that, and example/
 * makes values that obey both.
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
import { emitDocument } from "./document/document.ts";
import { parseOptions } from "./options.ts";

export const openapiPlugin: Plugin = { name: "protoc-gen-weft-openapi", version: "v1", run };

/**
 * The response for one run of the compiler: the file openapi.json, or none when nothing of the contract is
 * open at the edge. What is wrong with the contract comes back as the response's `error`, all of it at once.
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
    const options = parseOptions(request.parameter);
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
    const api = readContract(registry, request.fileToGenerate);
    if (api.operations.length === 0 && api.unlisted.length === 0) return response;
    const content = `${JSON.stringify(emitDocument(api, options, registry), null, 2)}\n`;
    response.file.push({
      $typeName: "google.protobuf.compiler.CodeGeneratorResponse.File",
      name: "openapi.json",
      insertionPoint: "",
      content,
    });
  } catch (error) {
    response.error = error instanceof Error ? error.message : String(error);
  }
  return response;
}
