/** The status of a call as trailers: grpc-status, grpc-message, grpc-status-details-bin. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { mergeNonProtocolHeaders } from "@connectrpc/connect/protocol";
import { codeFromHttpStatus } from "@connectrpc/connect/protocol-grpc";
import { StatusSchema } from "#gen/google/rpc/status_pb.ts";
import { CallHeaders } from "./call-headers.ts";
import { addHeaders } from "./headers.ts";

/**
 * Trailers for the end of a call that failed: the handler's own, the error's metadata, and the status.
 * Metadata of an error that another server sent stays there: it was meant for this process.
 */
export function errorTrailers(error: ConnectError, trailers: Headers): OutgoingHttpHeaders {
  const all = CallHeaders.from(trailers);
  if (!(error as ConnectError & { isWireError?: boolean }).isWireError) {
    mergeNonProtocolHeaders(all, error.metadata);
  }
  const out = addHeaders(all, {});
  out["grpc-status"] = String(error.code);
  out["grpc-message"] = encodeMessage(error.rawMessage);
  if (error.details.length > 0) out["grpc-status-details-bin"] = encodeDetails(error);
  return out;
}

function encodeDetails(error: ConnectError): string {
  const details = error.details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
  );
  return encodeBinaryHeader(
    create(StatusSchema, { code: error.code, message: error.rawMessage, details }),
    StatusSchema,
  );
}

/**
 * The error in trailers, or in the headers of a trailers-only response; undefined for OK. Without a
 * status the HTTP status decides (gRPC doc http-grpc-status-mapping.md).
 *
 * @param headers initial metadata, which the error's metadata gets too
 */
export function readStatus(
  trailers: IncomingHttpHeaders,
  httpStatus: number,
  headers?: IncomingHttpHeaders,
): ConnectError | undefined {
  const status = trailers["grpc-status"];
  if (status === "0") return undefined;
  const metadata = new Headers(CallHeaders.received(trailers));
  if (headers) for (const [name, value] of CallHeaders.received(headers)) metadata.append(name, value);
  if (status === undefined) {
    if (httpStatus === 200)
      return new ConnectError("protocol error: missing status", Code.Internal, metadata);
    return new ConnectError(`HTTP ${httpStatus}`, codeFromHttpStatus(httpStatus), metadata);
  }
  const code = /^\d{1,2}$/.test(String(status)) ? Number(status) : -1;
  const error =
    code in Code
      ? new ConnectError(decodeMessage(String(trailers["grpc-message"] ?? "")), code, metadata)
      : new ConnectError(`invalid grpc-status: ${status}`, Code.Internal, metadata);
  const details = trailers["grpc-status-details-bin"];
  if (details !== undefined) addDetails(error, String(details));
  (error as ConnectError & { isWireError?: boolean }).isWireError = true;
  return error;
}

/** Details that do not parse count as none: the code and the message are what matters most. */
function addDetails(error: ConnectError, header: string): void {
  try {
    error.details = decodeBinaryHeader(header, StatusSchema).details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
  } catch {}
}

/** grpc-message for a text: percent-encoded UTF-8. */
export function encodeMessage(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Text of a grpc-message. What is no percent-encoding stays as it is (gRPC over HTTP/2, "Responses"). */
export function decodeMessage(value: string): string {
  if (!value.includes("%")) return value;
  const bytes = value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
