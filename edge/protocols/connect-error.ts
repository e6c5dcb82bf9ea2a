import type { IncomingHttpHeaders } from "node:http2";
import { malformed, type StatusError } from "../transcode/status.ts";

/** Names of the codes in the Connect protocol, by number. */
const NAMES = [
  "ok",
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

/** The error object of the Connect protocol. */
export function connectError(error: StatusError): object {
  return {
    code: NAMES[error.code] ?? "unknown",
    ...(error.message && { message: error.message }),
    ...(error.details.length > 0 && {
      details: error.details.map(({ typeUrl, value }) => ({
        type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
        value: Buffer.from(value).toString("base64").replace(/=+$/, ""),
      })),
    }),
  };
}

/**
 * `connect-timeout-ms`, in milliseconds.
 * @throws StatusError INVALID_ARGUMENT for a malformed header
 */
export function connectTimeout(headers: IncomingHttpHeaders): number | undefined {
  const header = headers["connect-timeout-ms"];
  if (header === undefined) return undefined;
  if (!/^\d{1,10}$/.test(String(header))) throw malformed("connect-timeout-ms: must be 1 to 10 digits");
  return Math.min(Number(header), 2 ** 31 - 1);
}
