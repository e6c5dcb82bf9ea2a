/** Headers objects of Connect's API from and to the plain objects of node:http2. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

/** Without the pseudo-headers (":path"). */
export function toHeaders(received: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const name in received) {
    if (name.charCodeAt(0) === 58) continue;
    const value = received[name];
    if (typeof value === "string") headers.append(name, value);
    else if (value !== undefined) for (const one of value) headers.append(name, one);
  }
  return headers;
}

/** Adds `headers` to `into`, replacing what has the same name. */
export function addHeaders(headers: Headers, into: OutgoingHttpHeaders): OutgoingHttpHeaders {
  for (const [name, value] of headers) into[name] = value;
  return into;
}

/** Content types of gRPC whose messages are protobuf; parameters and other encodings are left to Connect. */
export function isGrpcProto(contentType: string | undefined): boolean {
  if (contentType === "application/grpc" || contentType === "application/grpc+proto") return true;
  return contentType !== undefined && /^application\/grpc(\+proto)?$/i.test(contentType);
}
