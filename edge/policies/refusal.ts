import { create, toBinary } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { type StatusDetail, StatusError } from "../transcode/status.ts";

/** A refusal by the mesh's policy as a status with google.rpc details; other errors as they are. `headers` go out with it. */
export function refusal(error: unknown, domain: string, headers: Record<string, string>): unknown {
  if (!(error instanceof ServiceError)) return error;
  const { reason, metadata, fields } = error;
  const info = create(ErrorInfoSchema, { reason, domain, metadata: { ...metadata } });
  const details: StatusDetail[] = [
    { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: toBinary(ErrorInfoSchema, info) },
  ];
  if (fields.length > 0) {
    const fieldViolations = fields.map(({ field, description }) => ({ field, description }));
    const value = toBinary(BadRequestSchema, create(BadRequestSchema, { fieldViolations }));
    details.push({ typeUrl: "type.googleapis.com/google.rpc.BadRequest", value });
  }
  return new StatusError(error.code, error.message, { details, headers });
}
