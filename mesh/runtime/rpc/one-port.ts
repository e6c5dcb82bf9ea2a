/**
 * HTTP/1.1 and HTTP/2 without TLS (h2c with prior knowledge, RFC 9113 section 3.3) on one port: the
 * first bytes of a connection tell which it is.
 *
 * What listens is an http.Server, and HTTP/2 connections are handed to a second server: behind a plain
 * net.Server, http.Server would not find its idle keep-alive connections again when it closes.
 */
import http from "node:http";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type { FastifyServerFactory } from "fastify";

/** Client connection preface of HTTP/2 (RFC 9113 section 3.4). */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Time a new connection has to show what it speaks, and HTTP/1.1 requests to send their head, in milliseconds. */
const headTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
/** What answers requests of either protocol. */
export interface OnePortHandlers {
  http1: http.RequestListener;
  http2: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void;
  /** Asked first about every HTTP/2 stream; those it leaves become requests. */
  takeStream?: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => boolean;
}

/** A server for both protocols. `close()` ends idle connections and waits for requests in flight. */
export function createOnePort(handlers: OnePortHandlers): http.Server {
  const h1 = http.createServer(
    {
      headersTimeout: headTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      closeAfterEarlyAnswer(request, response);
      handlers.http1(request, response);
    },
  );
  const h2 = http2.createServer({
    settings: { maxConcurrentStreams: 100, maxHeaderListSize: 16_384, initialWindowSize: 1_048_576 },
    maxSessionMemory: 10,
    maxSessionInvalidFrames: 100,
    streamResetBurst: 200,
    streamResetRate: 33,
  });
  dispatchStreams(h2, handlers);
  joinServers(h1, h2);
  return h1;
}

/** Streams that nobody takes go on to a server that has request objects, which cost more than a unary call. */
function dispatchStreams(h2: http2.Http2Server, { takeStream, http2: onRequest }: OnePortHandlers): void {
  const requests = http2.createServer(onRequest);
  h2.on("stream", (stream: http2.ServerHttp2Stream, headers, ...rest) => {
    if (!takeStream?.(stream, headers)) requests.emit("stream", stream, headers, ...rest);
  });
}

/**
 * An answer that leaves before the whole request has come ends the connection, and says so: a handler that
 * stopped reading has destroyed the request, and the connection would never get to the next one.
 */
function closeAfterEarlyAnswer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => http.ServerResponse;
  response.writeHead = (...head: unknown[]) => {
    if (!request.complete) response.shouldKeepAlive = false;
    return writeHead(...head);
  };
}

/**
 * Gives the HTTP/2 connections of a listening HTTP/1.1 server to `h2`. Closing `h1`'s idle connections then
 * closes HTTP/2 sessions too, which lets their open streams finish.
 * @returns the open HTTP/2 sessions, kept up to date
 */
export function joinServers(h1: http.Server, h2: http2.Http2Server): ReadonlySet<http2.ServerHttp2Session> {
  const sessions = new Set<http2.ServerHttp2Session>();
  h2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });

  const undecided = new Set<Socket>();
  const toHttp1 = h1.listeners("connection")[0] as (socket: Socket) => void;
  h1.removeAllListeners("connection").on("connection", (socket: Socket) => {
    undecided.add(socket);
    decide(socket, h1.headersTimeout, (isHttp2) => {
      undecided.delete(socket);
      if (isHttp2) {
        // HTTP/1.1 servers keep a connection whose peer has ended its half; HTTP/2 would never learn of it.
        socket.allowHalfOpen = false;
        h2.emit("connection", socket);
      }
      if (isHttp2 === false) toHttp1.call(h1, socket);
    });
  });

  const closeIdle = h1.closeIdleConnections.bind(h1);
  h1.closeIdleConnections = () => {
    closeIdle();
    for (const session of sessions) session.close();
    for (const socket of undecided) socket.destroy();
  };
  return sessions;
}

/** The same as a server factory of Fastify. */
export function onePort(takeStream?: OnePortHandlers["takeStream"]): FastifyServerFactory {
  return (handler) =>
    createOnePort({ http1: handler as http.RequestListener, http2: handler as never, takeStream });
}

/** Calls back once: true for HTTP/2, false for HTTP/1, undefined when the connection ended before it told. */
function decide(socket: Socket, timeoutMs: number, settle: (isHttp2: boolean | undefined) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const finish = (isHttp2: boolean | undefined) => {
    clearTimeout(timer);
    socket.off("readable", peek).off("end", give).off("error", give).off("close", give);
    settle(isHttp2);
  };
  const give = () => {
    socket.destroy();
    finish(undefined);
  };
  const timer = setTimeout(give, timeoutMs);
  const peek = () => {
    const chunk: Buffer | null = socket.read();
    if (!chunk) return;
    seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, preface.length);
    const matches = seen.subarray(0, length).equals(preface.subarray(0, length));
    if (matches && length < preface.length) return;
    socket.unshift(seen);
    finish(matches);
  };
  socket.setNoDelay(true).on("error", give).on("end", give).on("close", give).on("readable", peek);
}
