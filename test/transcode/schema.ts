import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** transcode.proto with its imports and google.rpc; README.md says how it is made. */
export const DESCRIPTORS = join(import.meta.dirname, "transcode.binpb");
export const PACKAGE = "bars.transcode.v1";

export const registry: FileRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS)),
);

export function messageType(name: string): DescMessage {
  const type = registry.getMessage(name);
  if (!type) throw new Error(`the schema has no message ${name}`);
  return type;
}

/** @param rpc `package.Service/Method` */
export function methodOf(rpc: string): DescMethod {
  const [service = "", name] = rpc.split("/");
  const method = registry.getService(service)?.methods.find((candidate) => candidate.name === name);
  if (!method) throw new Error(`the schema has no method ${rpc}`);
  return method;
}
