/**
 * HTTP/1.1 and HTTP/2 on one port, each without TLS (h2c with prior knowledge, RFC 9113 section 3.3) and, where
 * the process has a certificate, with it: the first bytes of a connection tell which it is.
 *
 * What listens is an http.Server, and HTTP/2 connections are handed to a second server: behind a plain
 * net.Server, http.Server would not find its idle keep-alive connections again when it closes.
 */
import http from "node:http";
import http2 from "node:http2";
import type { Socket } from "node:net";
import type tls from "node:tls";
import type { FastifyServerFactory } from "fastify";
import { peerOf, rememberPeer } from "../identity/peer.ts";
import { closeAfterEarlyAnswer } from "./early-answer.ts";
import { trustWithdrawn } from "./mutual-tls.ts";
import { QuietResponse } from "./quiet-response.ts";
import { tendSessions } from "./tend-sessions.ts";

/** Client connection preface of HTTP/2 (RFC 9113 section 3.4). */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** First byte of a connection that begins with a TLS handshake (RFC 8446 section 5.1, ContentType). */
const handshake = 0x16;

/** Time a new connection has to show what it speaks, and HTTP/1.1 requests to send their head, in milliseconds. */
const headTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;

/**
 * Streams that a peer may reset, at once and a second, before its connection is ended (rapid reset, CVE-2023-44487).
 * A peer is no user but a service or the edge, with the calls of all users on one connection: below what those may
 * cancel together, one of them could end the calls of the others.
 */
const resets = { streamResetBurst: 5_000, streamResetRate: 1_000 };

/** What answers requests of either protocol. */
export interface OnePortHandlers {
  http1: http.RequestListener;
  http2: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void;
  /** Asked first about every HTTP/2 stream; those it leaves become requests. */
  takeStream?: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => boolean;
}

/**
 * A server for both protocols. `close()` ends idle connections and waits for requests in flight.
 *
 * @param secure takes connections that begin with TLS (mutual-tls.ts); without it they are refused
 */
export function createOnePort(handlers: OnePortHandlers, secure?: tls.Server): http.Server {
  const h1 = http.createServer(
    {
      headersTimeout: headTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      // Between the break of a connection and its error, whoever listened for it may have stopped to.
      request.on("error", () => {});
      closeAfterEarlyAnswer(request, response);
      showRepeated(request.headers, request.rawHeaders);
      handlers.http1(request, response);
    },
  );
  const h2 = http2.createServer({
    settings: { maxConcurrentStreams: 100, maxHeaderListSize: 16_384, initialWindowSize: 1_048_576 },
    maxSessionMemory: 10,
    maxSessionInvalidFrames: 100,
    ...resets,
  });
  dispatchStreams(h2, handlers);
  tendSessions(h2);
  joinServers(h1, h2, secure);
  return h1;
}

/** Streams that nobody takes go on to a server that has request objects, which cost more than a unary call. */
function dispatchStreams(h2: http2.Http2Server, { takeStream, http2: onRequest }: OnePortHandlers): void {
  const requests = http2.createServer({ Http2ServerResponse: QuietResponse }, onRequest);
  h2.on("stream", (stream: http2.ServerHttp2Stream, headers, flags, rawHeaders: string[]) => {
    // Its reset came with it. Whoever answers such a stream gets an exception, node:http2 itself included.
    if (stream.destroyed || stream.closed) return void stream.on("error", () => {});
    showRepeated(headers, rawHeaders);
    if (takeStream?.(stream, headers)) return;
    if (!streamed.test(headers["content-type"] ?? "")) endSlowRequest(stream);
    requests.emit("stream", stream, headers, flags, rawHeaders);
  });
}

/** Calls whose requests may come for as long as both sides like. */
const streamed = /^application\/(?:grpc|connect\+)/;

/** Others must have come within the time that HTTP/1.1 gives them. */
function endSlowRequest(stream: http2.ServerHttp2Stream): void {
  const timer = setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), requestTimeoutMs);
  const stop = () => clearTimeout(timer);
  stream.once("end", stop).once("close", stop);
}

/**
 * Node keeps the first of several headers Authorization and says nothing of the others, while something on the way
 * may have looked at another one. Here all of them stand in the one that is checked, so that it is no token.
 */
function showRepeated(headers: http.IncomingHttpHeaders, rawHeaders: readonly string[]): void {
  if (headers.authorization === undefined) return;
  let all: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length !== "authorization".length || name.toLowerCase() !== "authorization") continue;
    all = all === undefined ? rawHeaders[at + 1] : `${all}, ${rawHeaders[at + 1]}`;
  }
  headers.authorization = all;
}

/**
 * Gives the HTTP/2 connections of a listening HTTP/1.1 server to `h2`, those with TLS by way of `secure`. Closing
 * `h1`'s idle connections then closes HTTP/2 sessions too, which lets their open streams finish.
 * @returns the open HTTP/2 sessions, kept up to date
 */
export function joinServers(
  h1: http.Server,
  h2: http2.Http2Server,
  secure?: tls.Server,
): ReadonlySet<http2.ServerHttp2Session> {
  const sessions = new Set<http2.ServerHttp2Session>();
  let closing = false;
  h2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    // Its handshake was under way when the others were told; its client may try elsewhere.
    if (closing) session.close();
  });

  const undecided = new Set<Socket>();
  const toHttp1 = h1.listeners("connection")[0] as (socket: Socket) => void;
  /** HTTP/1.1 servers keep a connection whose peer has ended its half; others would never learn of it. */
  const give = (socket: Socket, server: http2.Http2Server | tls.Server) => {
    socket.allowHalfOpen = false;
    server.emit("connection", socket);
  };
  h1.removeAllListeners("connection").on("connection", (socket: Socket) => {
    undecided.add(socket);
    decide(socket, h1.headersTimeout, (spoken) => {
      undecided.delete(socket);
      if (spoken === "http2") give(socket, h2);
      else if (spoken === "tls" && secure) give(socket, secure);
      else if (spoken !== undefined) toHttp1.call(h1, socket);
    });
  });
  secure?.on("secureConnection", (socket) => {
    if (socket.alpnProtocol !== "h2") return toHttp1.call(h1, socket);
    const note = (session: http2.ServerHttp2Session) => rememberPeer(session, peerOf(socket));
    h2.on("session", note);
    give(socket, h2);
    // At once, also when it came to no session: the next one is somebody else's.
    h2.off("session", note);
  });

  // Their open streams finish; clients make another connection for the next.
  secure?.on(trustWithdrawn, () => {
    for (const session of sessions) if (session.encrypted) session.close();
  });

  const closeIdle = h1.closeIdleConnections.bind(h1);
  h1.closeIdleConnections = () => {
    closing = true;
    closeIdle();
    for (const session of sessions) session.close();
    for (const socket of undecided) socket.destroy();
  };
  return sessions;
}

/** The same as a server factory of Fastify. */
export function onePort(
  takeStream?: OnePortHandlers["takeStream"],
  secure?: tls.Server,
): FastifyServerFactory {
  return (handler) =>
    createOnePort({ http1: handler as http.RequestListener, http2: handler as never, takeStream }, secure);
}

type Spoken = "http1" | "http2" | "tls";

/** Calls back once with what the connection speaks; undefined when it ended before it told. */
function decide(socket: Socket, timeoutMs: number, settle: (spoken: Spoken | undefined) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const finish = (spoken: Spoken | undefined) => {
    clearTimeout(timer);
    socket.off("readable", peek).off("end", give).off("error", give).off("close", give);
    settle(spoken);
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
    const isHttp2 = seen.subarray(0, length).equals(preface.subarray(0, length));
    if (isHttp2 && length < preface.length) return;
    socket.unshift(seen);
    finish(isHttp2 ? "http2" : seen[0] === handshake ? "tls" : "http1");
  };
  socket.setNoDelay(true).on("error", give).on("end", give).on("close", give).on("readable", peek);
}
