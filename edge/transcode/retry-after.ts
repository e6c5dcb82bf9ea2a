import { fromBinary } from "@bufbuild/protobuf";
import { RetryInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { StatusError } from "./status.ts";

/** Retry-After (RFC 9110 10.2.3) in seconds, from a google.rpc.RetryInfo among the details; undefined without one. */
export function retryAfterOf(error: StatusError): string | undefined {
  const info = error.details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RetryInfo"));
  if (!info) return undefined;
  try {
    const { retryDelay } = fromBinary(RetryInfoSchema, info.value);
    if (!retryDelay || retryDelay.seconds < 0n) return undefined;
    return String(retryDelay.seconds + (retryDelay.nanos > 0 ? 1n : 0n));
  } catch {
    return undefined;
  }
}
