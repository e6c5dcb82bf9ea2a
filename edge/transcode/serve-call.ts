import { sendClientStream } from "./client-stream.ts";
import { hasBody } from "./exchange.ts";
import { NDJSON_TYPE, negotiate, requireJson } from "./media.ts";
import type { Overlay } from "./overlay.ts";
import { checkLength, contentCoding, receiveBody } from "./request-body.ts";
import type { RestCall } from "./rest-call.ts";
import { Code, StatusError } from "./status.ts";
import { streamSink } from "./stream-reply.ts";
import { UnaryReply } from "./unary-reply.ts";
import type { Call } from "./upstream-call.ts";

/**
 * Takes an admitted request to its upstream: what can be refused from the headers first, then path and
 * query, then the body, then the call.
 */
export function serveCall(rest: RestCall, segments: readonly string[], query: string): void {
  const { request, route } = rest;
  try {
    const accepted = route.offers.length > 0 ? negotiate(request.headers.accept, route.offers) : undefined;
    if (rest.timeoutMs === 0)
      throw new StatusError(Code.deadlineExceeded, "the deadline of the call has passed");
    const body = hasBody(request);
    if (body) checkBodyHeaders(rest);
    const overlay = route.binder.overlay(segments, query);
    if (route.clientStreams && route.binder.hasBody) return callWithStream(rest, overlay);
    if (!body) return call(rest, bodiless(rest, overlay), accepted);
    expectBody(rest);
    receiveBody(
      request,
      rest.maxBodyBytes,
      (bytes) => {
        if (rest.wanted) attempt(rest, () => call(rest, bound(rest, overlay, bytes), accepted));
      },
      (error) => rest.fail(error),
    );
  } catch (error) {
    rest.fail(error);
  }
}

function checkBodyHeaders({ request, route, maxBodyBytes }: RestCall): void {
  contentCoding(request);
  if (!route.clientStreams) checkLength(request, maxBodyBytes);
  if (route.binder.hasBody && !route.binder.rawBody)
    requireJson(request.headers, route.clientStreams ? NDJSON_TYPE : undefined);
}

/** Tells a client that waits for permission to send its body. */
function expectBody({ request, response }: RestCall): void {
  if (request.headers.expect !== undefined) response.writeContinue();
}

function bodiless({ route, request }: RestCall, overlay: Overlay): Buffer {
  if (route.binder.rawBody)
    return route.binder.fromRaw(overlay, request.headers["content-type"] ?? "", Buffer.alloc(0));
  return route.binder.fromNothing(overlay);
}

function bound({ route, request }: RestCall, overlay: Overlay, bytes: Buffer): Buffer {
  if (route.binder.rawBody)
    return route.binder.fromRaw(overlay, request.headers["content-type"] ?? "", bytes);
  return route.binder.fromJson(overlay, bytes);
}

/** @param accepted media type of a streamed reply; undefined for raw bytes */
function call(rest: RestCall, message: Buffer, accepted: string | undefined): void {
  const unary = !rest.route.serverStreams;
  let started: Call | undefined;
  started = rest.start(unary ? new UnaryReply(rest) : streamSink(rest, accepted, () => started!));
  started.end(message);
}

function callWithStream(rest: RestCall, overlay: Overlay): void {
  let refused = false;
  const sink = new UnaryReply(rest);
  const started = rest.start({
    onHeaders: (metadata) => sink.onHeaders(metadata),
    onData: (chunk) => sink.onData(chunk),
    onEnd: (end) => !refused && sink.onEnd(end),
  });
  expectBody(rest);
  sendClientStream(rest, overlay, started, (reason) => {
    refused = true;
    rest.fail(reason);
  });
}

function attempt(rest: RestCall, action: () => void): void {
  try {
    action();
  } catch (error) {
    rest.fail(error);
  }
}
