import { fromBinary } from "@bufbuild/protobuf";
import { ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { StatusError } from "../transcode/status.ts";

/**
 * HTTP status of reasons that HTTP has a better word for than their gRPC code has: 422 where a key was
 * used for another request (draft-ietf-httpapi-idempotency-key-header section 2.7).
 */
const statuses: ReadonlyMap<string, number> = new Map([["IDEMPOTENCY_KEY_REUSED", 422]]);

/** HTTP status for an error by the reason in its google.rpc.ErrorInfo; undefined: the code's own. */
export function statusOfReason(error: StatusError): number | undefined {
  const info = error.details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.ErrorInfo"));
  if (!info) return undefined;
  try {
    return statuses.get(fromBinary(ErrorInfoSchema, info.value).reason);
  } catch {
    return undefined;
  }
}
