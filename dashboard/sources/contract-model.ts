/** The contract as read from the descriptors: once, at start-up. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Contract } from "../../mesh/codegen/weft/contract/model.ts";
import { readContract } from "../../mesh/codegen/weft/contract/read-contract.ts";

export interface ContractModel {
  /** First 12 hex digits of the SHA-256 of the descriptors. */
  readonly version: string;
  readonly registry: FileRegistry;
  /** Services, policies and events with defaults filled in. */
  readonly contract: Contract;
  /** Services with a policy, those that every service serves included. */
  readonly services: readonly DescService[];
  /** A method by "pkg.v1.Service/Method"; undefined when there is none. */
  method(name: string): DescMethod | undefined;
}

/** @throws Error when the files cannot be read or the contract is wrong */
export function openContract(descriptors: string, described: string): ContractModel {
  const version = createHash("sha256").update(readFileSync(descriptors)).digest("hex").slice(0, 12);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(described)));
  const files = [...registry.files].map((file) => file.proto.name);
  const contract = readContract(registry, files);
  const methods = new Map<string, DescMethod>();
  const services = new Set<DescService>();
  for (const { methods: own } of contract.services)
    for (const { desc } of own) {
      methods.set(`${desc.parent.typeName}/${desc.name}`, desc);
      services.add(desc.parent);
    }
  return { version, registry, contract, services: [...services], method: (name) => methods.get(name) };
}
