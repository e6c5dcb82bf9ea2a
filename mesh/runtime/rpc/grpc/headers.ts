import type { OutgoingHttpHeaders } from "node:http2";
import { CallHeaders } from "./call-headers.ts";

/** Adds `headers` to `into`, replacing what has the same name. */
export function addHeaders(headers: Headers, into: OutgoingHttpHeaders): OutgoingHttpHeaders {
  if (headers instanceof CallHeaders) headers.copyTo(into);
  else for (const [name, value] of headers) into[name] = value;
  return into;
}

/** Content types of gRPC whose messages are protobuf; parameters and other encodings are left to Connect. */
export function isGrpcProto(contentType: string | undefined): boolean {
  if (contentType === "application/grpc" || contentType === "application/grpc+proto") return true;
  return contentType !== undefined && /^application\/grpc(\+proto)?$/i.test(contentType);
}
