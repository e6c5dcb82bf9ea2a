import { createRegistry, type Registry } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "#gen/google/rpc/error_details_pb.ts";

/** The contract's types, and those that details of errors have in any contract; the contract's own come first. */
export function withErrorDetails(registry: Registry): Registry {
  return createRegistry(file_google_rpc_error_details, registry);
}
