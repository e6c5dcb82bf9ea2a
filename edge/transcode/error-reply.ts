import type { OutgoingHttpHeaders } from "node:http2";
import { fromBytes } from "./byte-text.ts";
import type { MessageDecoders } from "./message-decoder.ts";
import { retryAfterOf } from "./retry-after.ts";
import { Code, httpStatusOf, type StatusError } from "./status.ts";
import { writeDetail } from "./well-known-decoders.ts";

/** HTTP status, headers and body of a failure. */
export interface ErrorReply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** google.rpc.Status in ProtoJSON. */
  readonly body: string;
}

/** Lets a host answer an error with another HTTP status than its code's; undefined keeps that. */
export type MapError = (error: StatusError) => number | undefined;

export function errorReply(error: StatusError, decoders: MessageDecoders, mapError?: MapError): ErrorReply {
  const status = mapError?.(error) ?? error.httpStatus ?? httpStatusOf(error.code);
  const headers: OutgoingHttpHeaders = { "content-type": "application/json", ...error.headers };
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) headers["retry-after"] ??= retryAfter;
  // RFC 9110 15.5.2: a 401 must say how to authenticate.
  if (status === 401) headers["www-authenticate"] ??= "Bearer";
  return { status, headers, body: statusJson(error, decoders) };
}

/** google.rpc.Status as ProtoJSON, empty fields left out. */
export function statusJson(error: StatusError, decoders: MessageDecoders): string {
  const details = detailsJson(error, decoders);
  const members: string[] = [];
  if (error.code !== Code.ok) members.push(`"code":${error.code}`);
  if (error.message !== "") members.push(`"message":${JSON.stringify(error.message)}`);
  if (details.length > 0) members.push(`"details":[${details.join(",")}]`);
  return `{${members.join(",")}}`;
}

function detailsJson(error: StatusError, decoders: MessageDecoders): string[] {
  const details = error.details.map(({ typeUrl, value }) => {
    try {
      const json = decoders.text((out) => void writeDetail(typeUrl, value, out, decoders));
      if (json !== "") return fromBytes(json);
    } catch {
      // Falls through: a detail that cannot be written must not hide the error itself.
    }
    return JSON.stringify({ "@type": typeUrl, value: Buffer.from(value).toString("base64") });
  });
  if (error.field === undefined) return details;
  const violation = { field: error.field, description: error.message };
  return [
    ...details,
    JSON.stringify({ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [violation] }),
  ];
}
