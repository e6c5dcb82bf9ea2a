import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, OutgoingHttpHeaders } from "node:http2";
import http2 from "node:http2";

/** Requests and responses of either HTTP version; both have the same surface as far as it is used here. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** How long and how much of an unwanted body is still read, so that the client sees the answer before the connection ends. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 8 * 1024 * 1024;

/**
 * Sends a complete response. A body that the client has not finished sending is not waited for: HTTP/1.1
 * connections close, after a short while of reading on (RFC 9112 9.6).
 * @param body text or bytes; left out for HEAD, with its length still announced
 */
export function sendResponse(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer,
): void {
  if (response.headersSent || response.destroyed) return;
  const bodiless = status === 204 || status === 304;
  if (!bodiless) headers["content-length"] = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const unread = hasBody(request) && !request.complete;
  if (unread && request.httpVersionMajor === 1) {
    headers.connection = "close";
    head(response, status, headers);
    if (request.method !== "HEAD" && !bodiless && body.length > 0) (response as ServerResponse).write(body);
    else (response as ServerResponse).flushHeaders();
    linger(request, response);
    return;
  }
  head(response, status, headers);
  if (request.method === "HEAD" || bodiless) (response as ServerResponse).end();
  else (response as ServerResponse).end(body);
  if (unread && request.httpVersionMajor >= 2) {
    const { stream } = request as Http2ServerRequest;
    response.once("finish", () => stream.close(http2.constants.NGHTTP2_NO_ERROR));
  }
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
  if (request.httpVersionMajor >= 2)
    return !(request as { stream?: { endAfterHeaders?: boolean } }).stream?.endAfterHeaders;
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
  if (request.httpVersionMajor >= 2) {
    (request as Http2ServerRequest).stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
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
