/**
 * Clients that take their time to hold on to memory and connections. For HTTP/1.1 node:http limits headers,
 * requests and idle connections; here is what it leaves: slow bodies and idle connections of HTTP/2, and answers
 * that nobody reads, of both.
 */
import type http from "node:http";
import type {
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { abortResponse, hasBody, sendResponse } from "./transcode/exchange.ts";

export interface SlowClientLimits {
  /** Milliseconds for a whole request; 0 for none. */
  readonly requestTimeoutMs: number;
  /** Milliseconds without a byte in or out after which a connection of HTTP/2 is closed. */
  readonly keepAliveTimeoutMs: number;
  /** Milliseconds in which a client that is sent something must take a part of it. */
  readonly stallTimeoutMs: number;
}

/** How often requests are looked at, in milliseconds. */
const CHECK_MS = 1_000;

/** These may go on for as long as both sides like. The call's deadline counts for them, where there is one. */
const STREAMED = /^application\/(?:grpc(?:\+|;|$)|connect\+)/;

/** @param body of the answer to a request that takes too long */
export function endSlowClients(
  h1: http.Server,
  h2: Http2Server,
  limits: SlowClientLimits,
  body: string,
): void {
  h1.setTimeout(limits.stallTimeoutMs, (socket: Socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
  h2.on("session", (session: ServerHttp2Session) => endIdleSession(session, limits));
  if (limits.requestTimeoutMs > 0) endSlowBodies(h1, h2, limits.requestTimeoutMs, body);
}

function endIdleSession(
  session: ServerHttp2Session,
  { keepAliveTimeoutMs, stallTimeoutMs }: SlowClientLimits,
): void {
  const streams = new Set<ServerHttp2Stream>();
  session.on("stream", (stream: ServerHttp2Stream) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
  });
  session.setTimeout(Math.min(keepAliveTimeoutMs, stallTimeoutMs), () => {
    const stalled = [...streams].some((stream) => stream.writableLength > 0);
    if (stalled) session.destroy();
    // Open streams may go on; where the client has new requests, it connects again.
    else session.close();
  });
}

function endSlowBodies(h1: http.Server, h2: Http2Server, limitMs: number, body: string): void {
  /** Requests whose bodies are under way, the oldest first. */
  const open = new Map<Http2ServerRequest, { response: Http2ServerResponse; due: number }>();
  const watch = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    if (!hasBody(request) || STREAMED.test(request.headers["content-type"] ?? "")) return;
    open.set(request, { response, due: performance.now() + limitMs });
    const forget = () => open.delete(request);
    request.once("end", forget);
    request.stream.once("close", forget);
  };
  h2.prependListener("request", watch).prependListener("checkContinue", watch);
  const checks = setInterval(
    () => {
      const now = performance.now();
      for (const [request, { response, due }] of open) {
        if (due > now) return;
        open.delete(request);
        if (response.headersSent) abortResponse(request, response);
        else sendResponse(request, response, 408, { "content-type": "application/json" }, body);
      }
    },
    Math.min(CHECK_MS, limitMs),
  ).unref();
  h1.once("close", () => clearInterval(checks));
}
