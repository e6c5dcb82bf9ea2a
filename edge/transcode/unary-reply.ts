import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import zlib from "node:zlib";
import { notModified } from "./conditional.ts";
import { acceptsGzip, JSON_TYPE } from "./media.ts";
import { responseHeaders } from "./metadata.ts";
import { contentTypeOf } from "./renderer.ts";
import type { RestCall } from "./rest-call.ts";
import { SingleReply } from "./single-reply.ts";
import type { StatusError } from "./status.ts";

/** Answers with the one reply of a unary or client-streaming call. */
export class UnaryReply extends SingleReply {
  readonly #call: RestCall;

  constructor(call: RestCall) {
    super(call.settings.options.max_response_bytes);
    this.#call = call;
  }

  protected override succeeded(
    message: Buffer,
    metadata: IncomingHttpHeaders,
    trailers: IncomingHttpHeaders,
  ): void {
    try {
      reply(this.#call, metadata, trailers, message);
    } catch (reason) {
      this.#call.fail(reason);
    }
  }

  protected override failed(
    error: StatusError,
    metadata: IncomingHttpHeaders,
    trailers: IncomingHttpHeaders,
  ): void {
    this.#call.fail(error, metadata, trailers);
  }
}

function reply(
  call: RestCall,
  metadata: IncomingHttpHeaders,
  trailers: IncomingHttpHeaders,
  message: Buffer,
): void {
  const { renderer } = call.route;
  const { method, headers: requestHeaders } = call.request;
  const headers: OutgoingHttpHeaders = {};
  responseHeaders(metadata, headers);
  responseHeaders(trailers, headers, "trailer-");
  const status = statusOf(call, headers);
  if (call.route.cacheControl !== undefined) headers["cache-control"] ??= call.route.cacheControl;
  const etag = typeof headers.etag === "string" ? headers.etag : undefined;
  if ((method === "GET" || method === "HEAD") && notModified(requestHeaders["if-none-match"], etag)) {
    return call.send(304, headers, "");
  }
  if (renderer.raw) {
    const body = renderer.httpBody(message);
    headers["content-type"] = contentTypeOf(body);
    return call.send(status, headers, body.data);
  }
  headers["content-type"] = JSON_TYPE;
  const json = renderer.json(message);
  if (json.length < call.settings.options.gzip_from_bytes) return call.send(status, headers, json, "latin1");
  addVary(headers);
  if (!acceptsGzip(requestHeaders["accept-encoding"])) return call.send(status, headers, json, "latin1");
  zlib.gzip(Buffer.from(json, "latin1"), { level: 4 }, (error, compressed) => {
    if (error) return call.fail(error);
    headers["content-encoding"] = "gzip";
    // Another coding is another representation (RFC 9110 8.8.3.3).
    if (etag && !etag.startsWith("W/")) headers.etag = `W/${etag}`;
    call.send(status, headers, compressed);
  });
}

function statusOf(call: RestCall, headers: OutgoingHttpHeaders): number {
  const key = call.settings.options.http_code_metadata;
  const value = key && headers[key];
  if (!value) return call.route.successStatus;
  delete headers[key];
  return /^[2-5]\d\d$/.test(String(value)) ? Number(value) : call.route.successStatus;
}

function addVary(headers: OutgoingHttpHeaders): void {
  const vary = headers.vary;
  headers.vary = vary === undefined ? "accept-encoding" : `${vary}, accept-encoding`;
}
