import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import zlib from "node:zlib";
import { type HttpRequest, type HttpResponse, hasBody, sendResponse } from "../transcode/exchange.ts";
import { acceptsGzip } from "../transcode/media.ts";
import { responseHeaders } from "../transcode/metadata.ts";
import { readBody } from "../transcode/request-body.ts";
import { retryAfterOf } from "../transcode/retry-after.ts";
import { SingleReply } from "../transcode/single-reply.ts";
import { httpStatusOf, StatusError } from "../transcode/status.ts";
import type { ConnectCodec } from "./connect-codec.ts";
import { connectError, connectTimeout } from "./connect-error.ts";
import { admitRpc, type ProtocolSettings, type RpcCall } from "./rpc-call.ts";
import type { RpcMethod } from "./rpc-methods.ts";

/** Replies of at least this many bytes are compressed when the client accepts gzip. */
const GZIP_FROM_BYTES = 1024;

/**
 * A unary call of the Connect protocol.
 * @param message reads the request message of at most `limit` bytes; a GET has it in the query
 */
export function serveConnectUnary(
  request: HttpRequest,
  response: HttpResponse,
  rpc: RpcMethod,
  codec: ConnectCodec,
  settings: ProtocolSettings,
  message: (limit: number) => Promise<Buffer>,
): void {
  const refuse = (error: StatusError): void => sendConnectError(request, response, error);
  const proceed = (call: RpcCall): void => {
    message(Math.min(settings.maxMessageBytes, call.maxRequestBytes ?? Number.POSITIVE_INFINITY))
      .then((bytes) => {
        if (response.destroyed) return;
        // First, so that a malformed message never reaches the upstream.
        const converted = codec.request(bytes);
        call.start(new ConnectReply(call, codec)).end(converted);
      })
      .catch((error: unknown) =>
        sendConnectError(request, response, StatusError.from(error), call.extraHeaders),
      );
  };
  admitRpc({ request, response }, rpc, "connect", settings, connectTimeout, proceed, refuse);
}

/** The request message of a POST. */
export function postedMessage(
  request: HttpRequest,
  response: HttpResponse,
): (limit: number) => Promise<Buffer> {
  return async (limit) => {
    if (!hasBody(request)) return Buffer.alloc(0);
    if (request.headers.expect !== undefined) response.writeContinue();
    return readBody(request, limit);
  };
}

class ConnectReply extends SingleReply {
  readonly #call: RpcCall;
  readonly #codec: ConnectCodec;

  constructor(call: RpcCall, codec: ConnectCodec) {
    super(call.settings.maxReplyBytes);
    this.#call = call;
    this.#codec = codec;
  }

  protected override succeeded(
    message: Buffer,
    metadata: IncomingHttpHeaders,
    trailers: IncomingHttpHeaders,
  ): void {
    const { request, response, extraHeaders } = this.#call;
    const headers: OutgoingHttpHeaders = {};
    responseHeaders(metadata, headers);
    responseHeaders(trailers, headers, "trailer-");
    Object.assign(headers, extraHeaders);
    headers["content-type"] = `application/${this.#codec.name}`;
    try {
      sendMessage(request, response, headers, this.#codec.reply(message));
    } catch (error) {
      sendConnectError(request, response, StatusError.from(error), extraHeaders);
    }
  }

  protected override failed(
    error: StatusError,
    metadata: IncomingHttpHeaders,
    trailers: IncomingHttpHeaders,
  ): void {
    const { request, response, extraHeaders } = this.#call;
    const headers: OutgoingHttpHeaders = {};
    responseHeaders(metadata, headers);
    sendConnectError(request, response, error, Object.assign(headers, extraHeaders), trailers);
  }
}

function sendMessage(
  request: HttpRequest,
  response: HttpResponse,
  headers: OutgoingHttpHeaders,
  body: Buffer,
): void {
  if (body.length >= GZIP_FROM_BYTES) {
    headers.vary = "accept-encoding";
    if (acceptsGzip(request.headers["accept-encoding"])) {
      zlib.gzip(body, (_error, compressed) => {
        sendResponse(request, response, 200, { ...headers, "content-encoding": "gzip" }, compressed);
      });
      return;
    }
  }
  sendResponse(request, response, 200, headers, body);
}

export function sendConnectError(
  request: HttpRequest,
  response: HttpResponse,
  error: StatusError,
  extraHeaders: OutgoingHttpHeaders = {},
  trailers: IncomingHttpHeaders = {},
): void {
  const headers: OutgoingHttpHeaders = { "content-type": "application/json", ...error.headers };
  responseHeaders(trailers, headers, "trailer-");
  const status = error.httpStatus ?? httpStatusOf(error.code);
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) headers["retry-after"] ??= retryAfter;
  if (status === 401) headers["www-authenticate"] ??= "Bearer";
  sendResponse(
    request,
    response,
    status,
    Object.assign(headers, extraHeaders),
    JSON.stringify(connectError(error)),
  );
}
