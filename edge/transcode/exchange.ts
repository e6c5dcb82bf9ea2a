import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, OutgoingHttpHeaders } from "node:http2";
import http2 from "node:http2";

/** Requests and responses of either HTTP version; both have the same surface as far as it is used here. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** Encoding of a response body that is text. */
export type BodyEncoding = "utf8" | "latin1";
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** By what it is: an HTTP/1.1 request line may claim any version. */
function isHttp2(request: HttpRequest): request is Http2ServerRequest {
  return (request as { stream?: unknown }).stream !== undefined;
}

/** How long and how much of an unwanted body is still read, so that the client sees the answer before the connection ends. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 8 * 1024 * 1024;

/** HTTP/1.1 connections that end with the response under way. */
const closing = new WeakSet<object>();

/**
 * Whether a request must not be looked at, because its connection ends with the answer to the one before it
 * (RFC 9112 9.6): it would run, and its client never hear of it.
 */
export function comesTooLate(request: IncomingMessage, response: ServerResponse): boolean {
  if (closing.has(request.socket)) return true;
  // What Node read of the version and of Connection.
  if (!response.shouldKeepAlive) closing.add(request.socket);
  return false;
}

/**
 * Sends a complete response. A body that the client has not finished sending is not waited for: HTTP/1.1
 * connections close, after a short while of reading on (RFC 9112 9.6).
 * @param body text or bytes; left out for HEAD, with its length still announced
 * @param encoding of a text; "latin1" for one in bytes (see byte-text.ts)
 */
export function sendResponse(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer,
  encoding: BodyEncoding = "utf8",
): void {
  if (response.headersSent || response.destroyed) return;
  const bodiless = status === 204 || status === 304;
  if (!bodiless)
    headers["content-length"] = typeof body === "string" ? Buffer.byteLength(body, encoding) : body.length;
  const unread = hasBody(request) && !request.complete;
  if (unread && !isHttp2(request)) {
    headers.connection = "close";
    closing.add(request.socket);
    head(response, status, headers);
    if (request.method !== "HEAD" && !bodiless && body.length > 0)
      (response as ServerResponse).write(body, encoding);
    else (response as ServerResponse).flushHeaders();
    linger(request, response);
    return;
  }
  head(response, status, headers);
  if (request.method === "HEAD" || bodiless) (response as ServerResponse).end();
  else (response as ServerResponse).end(body, encoding);
  // After the answer: the client need not send the rest (RFC 9113 8.1). "finish" of the response would be too late.
  if (unread) (request as Http2ServerRequest).stream.close(http2.constants.NGHTTP2_NO_ERROR);
}

const preset = Symbol("preset headers");
type Preset = HttpResponse & { [preset]?: OutgoingHttpHeaders };

/**
 * Headers that a response carries whoever answers; an answer's own headers win, but `vary` is added to.
 * @param headers may be shared by many responses: they are only read
 */
export function presetHeaders(response: HttpResponse, headers: OutgoingHttpHeaders): void {
  (response as Preset)[preset] = headers;
}

/** Adds to `headers` what the response is to carry besides. */
export function addPreset(response: HttpResponse, headers: OutgoingHttpHeaders): void {
  const more = (response as Preset)[preset];
  if (!more) return;
  const { vary } = headers;
  for (const name in more) headers[name] ??= more[name];
  if (vary !== undefined && more.vary !== undefined) headers.vary = `${vary}, ${more.vary}`;
}

/** Status and headers of a response; the two classes differ only in their types here. */
export function head(response: HttpResponse, status: number, headers: OutgoingHttpHeaders): void {
  addPreset(response, headers);
  (response as ServerResponse).writeHead(status, headers as OutgoingHttpHeaders & Record<string, string>);
}

/** Whether the request can have content at all, from its framing. */
export function hasBody(request: HttpRequest): boolean {
  if (isHttp2(request)) return !request.stream.endAfterHeaders;
  return (
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0
  );
}

function linger(request: HttpRequest, response: HttpResponse): void {
  let left = LINGER_BYTES;
  const end = (): void => {
    clearTimeout(timer);
    request.removeAllListeners("data");
    (response as ServerResponse).end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) end();
  });
  request.once("end", end).once("close", end).on("error", end);
  request.resume();
}

/** Breaks off a response that has begun, so that the client cannot take it for complete. */
export function abortResponse(request: HttpRequest, response: HttpResponse): void {
  if (isHttp2(request)) {
    request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const { socket } = response as ServerResponse;
  // What is written already goes out first; the missing last chunk tells the rest.
  setImmediate(() => socket?.destroySoon());
}

/** Calls `listener` when the client is gone before the response was complete. */
export function onClientGone(response: HttpResponse, listener: () => void): void {
  response.once("close", () => {
    if (wasCutOff(response)) listener();
  });
}

/** Of a closed response: whether the client was gone before it was complete. */
export function wasCutOff(response: HttpResponse): boolean {
  // A reset HTTP/2 stream with nothing left to send counts as finished, though nobody has ended it.
  return !response.writableEnded || !response.writableFinished;
}
