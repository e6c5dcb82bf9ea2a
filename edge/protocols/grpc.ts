import type { Http2ServerResponse, OutgoingHttpHeaders } from "node:http2";
import { readTimeout } from "../transcode/deadline.ts";
import { type HttpRequest, type HttpResponse, head } from "../transcode/exchange.ts";
import { responseHeaders } from "../transcode/metadata.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { Call } from "../transcode/upstream-call.ts";
import { writeThrough } from "../transcode/write-through.ts";
import { FrameLimit } from "./frame-limit.ts";
import { copy, errorTrailers, grpcTrailers } from "./grpc-trailers.ts";
import { admitRpc, type ProtocolSettings, pipeRequest, type RpcCall } from "./rpc-call.ts";
import type { RpcMethod } from "./rpc-methods.ts";

/** Negotiated between client and upstream; the edge does not look into messages. */
const REQUEST_KEYS = ["content-type", "grpc-encoding", "grpc-accept-encoding"];
const RESPONSE_KEYS = ["content-type", "grpc-encoding", "grpc-accept-encoding"];

/**
 * gRPC over HTTP/2: bytes pass through in both directions, metadata by the same rules as everywhere.
 * @param rpc undefined for a path that names no RPC
 */
export function serveGrpc(
  request: HttpRequest,
  response: HttpResponse,
  rpc: RpcMethod | undefined,
  settings: ProtocolSettings,
): void {
  const refuse = (error: StatusError): void => {
    request.resume();
    finish(response, errorTrailers(error), error.headers);
  };
  if (!rpc) {
    refuse(new StatusError(Code.unimplemented, "no such method"));
    return;
  }
  admitRpc({ request, response }, rpc, "grpc", settings, readTimeout, passThrough, refuse);
}

function passThrough(rpcCall: RpcCall): void {
  const { request, response, extraHeaders, metadata, maxRequestBytes } = rpcCall;
  copy(request.headers, REQUEST_KEYS, metadata);
  let call: Call | undefined;
  let refused = false;
  const write = writeThrough(response, () => call!);
  call = rpcCall.start({
    onHeaders: (initial) => {
      const headers: OutgoingHttpHeaders = {};
      responseHeaders(initial, headers);
      copy(initial, RESPONSE_KEYS, headers);
      head(response, 200, Object.assign(headers, extraHeaders));
    },
    onData: write,
    onEnd: (end) => {
      if (!refused) finish(response, grpcTrailers(end), extraHeaders);
    },
  });
  const limit = maxRequestBytes === undefined ? undefined : new FrameLimit(maxRequestBytes);
  pipeRequest(
    request,
    call,
    (chunk) => limit?.pass(chunk) ?? chunk,
    (error) => {
      refused = true;
      request.resume();
      finish(response, errorTrailers(StatusError.from(error)), extraHeaders);
    },
  );
}

/** Ends with trailers; they are always a frame of their own, since a client must take them there anyway. */
function finish(response: HttpResponse, trailers: OutgoingHttpHeaders, headers: OutgoingHttpHeaders): void {
  if (response.destroyed) return;
  if (!response.headersSent) head(response, 200, { "content-type": "application/grpc", ...headers });
  (response as Http2ServerResponse).addTrailers(trailers);
  (response as Http2ServerResponse).end();
}
