import type { OutgoingHttpHeaders } from "node:http2";
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema, QuotaFailureSchema } from "#gen/google/rpc/error_details_pb.ts";
import { retryInfo, ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { type StatusDetail, StatusError } from "../transcode/status.ts";

/**
 * A refusal by the mesh's policy as a status with google.rpc details; other errors as they are.
 * @param domain proto package, for google.rpc.ErrorInfo
 * @param headers go out with it
 */
export function refusal(error: unknown, domain: string, headers: OutgoingHttpHeaders): unknown {
  if (!(error instanceof ServiceError)) return error;
  const { reason, metadata, fields, retryAfterMs, message } = error;
  const details = [
    detail(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain, metadata: { ...metadata } })),
  ];
  if (fields.length > 0) {
    const fieldViolations = fields.map(({ field, description }) => ({ field, description }));
    details.push(detail(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  if (reason === "RATE_LIMITED") {
    const violations = [{ subject: metadata?.limit, description: `${message}: ${metadata?.policy}` }];
    details.push(detail(QuotaFailureSchema, create(QuotaFailureSchema, { violations })));
  }
  if (retryAfterMs !== undefined) {
    const { desc, value } = retryInfo(retryAfterMs);
    details.push(detail(desc, value));
  }
  return new StatusError(error.code, error.message, { details, headers: headers as Record<string, string> });
}

function detail<S extends DescMessage>(schema: S, message: MessageShape<S>): StatusDetail {
  return { typeUrl: `type.googleapis.com/${schema.typeName}`, value: toBinary(schema, message) };
}
