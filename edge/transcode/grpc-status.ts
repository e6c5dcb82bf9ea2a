import http2, { type IncomingHttpHeaders } from "node:http2";
import { Code, type StatusDetail, StatusError } from "./status.ts";
import { WireReader } from "./wire-reader.ts";

/** How an upstream call ended. */
export interface CallEnd {
  /** Undefined for OK. */
  readonly error: StatusError | undefined;
  /** Trailing metadata; empty when the call broke off. */
  readonly trailers: IncomingHttpHeaders;
}

/**
 * Status from trailers (or from the headers of a trailers-only response). Without `grpc-status` the HTTP
 * status decides (gRPC doc http-grpc-status-mapping.md).
 */
export function readStatus(trailers: IncomingHttpHeaders, httpStatus: number): StatusError | undefined {
  const text = trailers["grpc-status"];
  if (text === undefined) return missingStatus(httpStatus);
  const code = /^\d{1,4}$/.test(String(text)) ? Number(text) : Code.unknown;
  if (code === Code.ok) return undefined;
  const message = decodeMessage(String(trailers["grpc-message"] ?? ""));
  return new StatusError(code, message, { details: readDetails(trailers["grpc-status-details-bin"]) });
}

function missingStatus(httpStatus: number): StatusError {
  const byHttp: Record<number, number> = {
    400: Code.internal,
    401: Code.unauthenticated,
    403: Code.permissionDenied,
    404: Code.unimplemented,
    429: Code.unavailable,
    502: Code.unavailable,
    503: Code.unavailable,
    504: Code.unavailable,
  };
  const code = httpStatus === 200 ? Code.internal : (byHttp[httpStatus] ?? Code.unknown);
  return new StatusError(
    code,
    httpStatus === 200 ? "the upstream sent no status" : `the upstream answered HTTP ${httpStatus}`,
  );
}

/** grpc-message is percent-encoded; what does not decode stays as it is. */
function decodeMessage(text: string): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === "%" ? text.slice(i + 1, i + 3) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else bytes.push(text.charCodeAt(i) & 0xff);
  }
  return Buffer.from(bytes).toString("utf8");
}

/** grpc-message for a text. */
export function encodeMessage(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /%(2[0-46-9A-F]|3[A-F]|40|5[B-F]|60|7[B-E])/g,
    (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
  );
}

/** Details of a google.rpc.Status in `grpc-status-details-bin`; bytes that make no sense count as none. */
function readDetails(header: string | string[] | undefined): StatusDetail[] {
  if (header === undefined) return [];
  try {
    const details: StatusDetail[] = [];
    const reader = new WireReader(Buffer.from(String(header), "base64"));
    while (reader.pos < reader.end) {
      const tag = reader.varint32();
      if (tag === 0x1a) details.push(readAny(reader.view()));
      else if (tag >>> 3 === 0) return [];
      else reader.skip(tag & 7);
    }
    return details;
  } catch {
    return [];
  }
}

function readAny(bytes: Buffer): StatusDetail {
  const reader = new WireReader(bytes);
  let typeUrl = "";
  let value: Buffer = Buffer.alloc(0);
  while (reader.pos < reader.end) {
    const tag = reader.varint32();
    if (tag === 0x0a) typeUrl = reader.string();
    else if (tag === 0x12) value = reader.view();
    else reader.skip(tag & 7);
  }
  return { typeUrl, value };
}

const { constants } = http2;

/**
 * Status of a stream that ended without trailers (gRPC over HTTP/2, "Errors").
 * @param code of RST_STREAM
 * @param connectionLost set where the whole connection is gone
 */
export function brokenStream(code: number, connectionLost: Error | undefined): StatusError {
  if (connectionLost)
    return new StatusError(Code.unavailable, "the upstream is not available", { cause: connectionLost });
  switch (code) {
    case constants.NGHTTP2_CANCEL:
      return new StatusError(Code.cancelled, "the upstream cancelled the call");
    case constants.NGHTTP2_REFUSED_STREAM:
      return new StatusError(Code.unavailable, "the upstream refused the call");
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new StatusError(Code.resourceExhausted, "the upstream asked to slow down");
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return new StatusError(Code.permissionDenied, "the upstream wants better transport security");
  }
  return new StatusError(Code.internal, "the upstream broke off the call", {
    cause: new Error(`the upstream reset the stream with code ${code}`),
  });
}
