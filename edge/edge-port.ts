import http, { type IncomingMessage, type ServerResponse } from "node:http";
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import net, { type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { joinServers } from "#mesh/runtime/rpc/one-port.ts";
import { QuietResponse } from "#mesh/runtime/rpc/quiet-response.ts";
import { endSlowClients } from "./slow-clients.ts";
import { comesTooLate } from "./transcode/exchange.ts";

export interface EdgeHandlers {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onHttp2Request: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  /** Body of the answer to a request that does not parse; the status line is made here. */
  readonly errorBody?: (httpStatus: number, message: string) => string;
}

export interface EdgeLimits {
  /** Request line and headers, in bytes; 431 above, or 414 where the request line alone is too long. */
  readonly maxHeaderBytes?: number;
  /** Milliseconds for the headers of a request, or for the first bytes of a connection. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds for a whole request; 0 for none, which client streams may need. Streams of gRPC have none. */
  readonly requestTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
  /** Milliseconds in which a client that is sent something must take a part of it. */
  readonly stallTimeoutMs?: number;
  readonly maxConcurrentStreams?: number;
  /** Bytes of memory one HTTP/2 session may take. */
  readonly sessionMemoryMb?: number;
  readonly maxConnections?: number;
}

const DEFAULTS = {
  maxHeaderBytes: 48 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  stallTimeoutMs: 60_000,
  maxConcurrentStreams: 200,
  sessionMemoryMb: 16,
  maxConnections: 10_000,
};

const TOO_SLOW = "the request took too long";
/** How long a connection is read on after its last answer. */
const LINGER_MS = 1_000;
/** How long a kept connection is left open while the edge stops; its next answer closes it sooner. */
const IDLE_LINGER_MS = 1_000;

export interface EdgePort {
  /** The listening server; `listen` it, or give it to a host that does. */
  readonly server: http.Server;
  /**
   * Stops accepting, lets open requests finish and closes idle connections.
   * @param graceMs after this many milliseconds, whatever is left is cut off
   */
  drain(graceMs: number): Promise<void>;
}

/**
 * HTTP/1.1 and HTTP/2 without TLS (h2c, prior knowledge) on one port, told apart by the first bytes. The
 * HTTP/1.1 server is the one that listens, because only then does it track its idle connections.
 */
export function edgePort(handlers: EdgeHandlers, limits: EdgeLimits = {}): EdgePort {
  const limit = { ...DEFAULTS, ...limits };
  const h1 = http.createServer({
    maxHeaderSize: limit.maxHeaderBytes,
    // Node refuses to wait longer for a part than for the whole.
    headersTimeout: Math.min(limit.headersTimeoutMs, limit.requestTimeoutMs || Number.POSITIVE_INFINITY),
    requestTimeout: limit.requestTimeoutMs,
    keepAliveTimeout: limit.keepAliveTimeoutMs,
    connectionsCheckingInterval: 1_000,
    // The handler answers a missing Host itself, with a body its clients understand.
    requireHostHeader: false,
    noDelay: true,
  });
  h1.maxConnections = limit.maxConnections;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (comesTooLate(request, response)) return;
    // The parser lets HTTP/0.9 pass, and a request line that says HTTP/2.0.
    if (request.httpVersionMajor === 1) return handlers.onRequest(request, response);
    answerRaw(request.socket, 400, `HTTP/${request.httpVersion} is not spoken here`, handlers.errorBody);
  };
  h1.on("request", onRequest);
  // Such a request waits for "100 Continue", which is sent by whoever reads its body.
  h1.on("checkContinue", onRequest);
  h1.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    if (comesTooLate(request, response)) return;
    const body = handlers.errorBody?.(417, "Expect: only 100-continue is supported") ?? "";
    response.writeHead(417, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  });
  h1.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex) => {
    answerUnparsed(error, socket, handlers.errorBody);
  });
  // Without a listener such a connection would end without a word.
  h1.on("connect", (_request, socket: Duplex) => {
    answerRaw(socket, 405, "CONNECT is not allowed", handlers.errorBody);
  });
  const h2 = http2Server(handlers, limit);
  endSlowClients(h1, h2, limit, handlers.errorBody?.(408, TOO_SLOW) ?? "");
  const sessions = joinServers(h1, h2);
  return { server: h1, drain: (graceMs) => drain(h1, sessions, graceMs) };
}

function http2Server(handlers: EdgeHandlers, limit: typeof DEFAULTS): http2.Http2Server {
  const h2 = http2.createServer({
    Http2ServerResponse: QuietResponse,
    maxSessionMemory: limit.sessionMemoryMb,
    maxHeaderListPairs: 128,
    settings: {
      maxConcurrentStreams: limit.maxConcurrentStreams,
      maxHeaderListSize: limit.maxHeaderBytes,
      initialWindowSize: 256 * 1024,
    },
    // Resets a peer may send in a burst and per second before it is cut off (rapid reset).
    streamResetBurst: 500,
    streamResetRate: 50,
  });
  h2.on("request", handlers.onHttp2Request);
  h2.on("checkContinue", handlers.onHttp2Request);
  h2.on("sessionError", () => {});
  return h2;
}

const PARSE_FAILURES: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, "the headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, TOO_SLOW],
};

function answerUnparsed(
  error: NodeJS.ErrnoException & { rawPacket?: Buffer },
  socket: Duplex,
  errorBody: EdgeHandlers["errorBody"],
): void {
  // Where a response is on its way already, another one would be taken for a part of it.
  const begun = (socket as { _httpMessage?: { headersSent?: boolean } })._httpMessage?.headersSent;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  // It may be a refusal of this very request: what is written of it still goes out.
  if (begun) return (socket as Socket).destroySoon();
  let [status, message] = PARSE_FAILURES[error.code ?? ""] ?? [400, "the request is not valid HTTP/1.1"];
  if (status === 431 && error.rawPacket && !error.rawPacket.includes("\r\n"))
    [status, message] = [414, "the URL is too long"];
  answerRaw(socket, status, message, errorBody);
}

/** Answers where Node has made no response object, and ends the connection. */
function answerRaw(
  socket: Duplex,
  status: number,
  message: string,
  errorBody: EdgeHandlers["errorBody"],
): void {
  const body = errorBody?.(status, message) ?? "";
  const allow = status === 405 ? "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" : "";
  const type = body === "" ? "" : "Content-Type: application/json\r\n";
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\n${allow}${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  // Node has let go of the socket of a CONNECT, whose error would be nobody's.
  socket.on("error", () => {});
  socket.end(head + body);
  // Closing while bytes come in would reset the connection, and take the answer from the client again.
  socket.removeAllListeners("data").on("data", () => {});
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

async function drain(
  h1: http.Server,
  sessions: ReadonlySet<ServerHttp2Session>,
  graceMs: number,
): Promise<void> {
  const cut = setTimeout(() => {
    h1.closeAllConnections();
    for (const session of sessions) session.destroy();
  }, graceMs);
  // Clients hear that the connection ends; one whose last answer was on its way before that is closed after it.
  h1.prependListener("request", (_request, response: ServerResponse) => {
    response.shouldKeepAlive = false;
  });
  // Not h1.close(), which would close connections that look idle while a request is on its way to us.
  const http1Closed = new Promise<void>((resolve) => net.Server.prototype.close.call(h1, () => resolve()));
  for (const session of sessions) session.close();
  let closing: NodeJS.Timeout | undefined;
  const linger = setTimeout(() => {
    h1.closeIdleConnections();
    closing = setInterval(() => h1.closeIdleConnections(), 50);
  }, IDLE_LINGER_MS);
  await Promise.all([
    http1Closed,
    ...Array.from(sessions, (session) => new Promise((resolve) => session.once("close", resolve))),
  ]);
  clearTimeout(linger);
  clearTimeout(cut);
  clearInterval(closing);
}
