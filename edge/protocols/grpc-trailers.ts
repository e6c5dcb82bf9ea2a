import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { CallEnd } from "../transcode/grpc-status.ts";
import { encodeMessage } from "../transcode/grpc-status.ts";
import { responseHeaders } from "../transcode/metadata.ts";
import type { StatusError } from "../transcode/status.ts";
import { WireWriter } from "../transcode/wire-writer.ts";

const STATUS_KEYS = ["grpc-status", "grpc-message", "grpc-status-details-bin"];

/** Trailers for the end of a call: the upstream's own where it sent some, otherwise made from the error. */
export function grpcTrailers({ error, trailers }: CallEnd): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  responseHeaders(trailers, out);
  if (trailers["grpc-status"] !== undefined) copy(trailers, STATUS_KEYS, out);
  else Object.assign(out, error ? errorTrailers(error) : { "grpc-status": "0" });
  return out;
}

export function errorTrailers(error: StatusError): OutgoingHttpHeaders {
  const trailers: OutgoingHttpHeaders = { "grpc-status": String(error.code) };
  if (error.message !== "") trailers["grpc-message"] = encodeMessage(error.message);
  if (error.details.length > 0) {
    trailers["grpc-status-details-bin"] = statusBytes(error).toString("base64").replace(/=+$/, "");
  }
  return trailers;
}

export function copy(from: IncomingHttpHeaders, names: readonly string[], to: OutgoingHttpHeaders): void {
  for (const name of names) if (from[name] !== undefined) to[name] = from[name];
}

/** google.rpc.Status on the wire. */
function statusBytes(error: StatusError): Buffer {
  const writer = new WireWriter(256);
  writer.varint32(0x08);
  writer.int32(error.code);
  writer.varint32(0x12);
  writer.string(error.message.toWellFormed());
  for (const { typeUrl, value } of error.details) {
    writer.varint32(0x1a);
    const mark = writer.open();
    writer.varint32(0x0a);
    writer.string(typeUrl);
    writer.varint32(0x12);
    writer.bytes(value);
    writer.close(mark);
  }
  return writer.slice();
}
