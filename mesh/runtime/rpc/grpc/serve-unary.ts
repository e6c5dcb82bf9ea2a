/**
 * Unary gRPC calls served straight from node:http2 streams, with the handlers and interceptors of
 * Connect's API. Connect's own adapter goes through async iterables and compatibility objects, which
 * costs four times as much; everything but unary gRPC stays with it.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { carry } from "./call-streams.ts";
import { isGrpcProto } from "./headers.ts";
import { callKey, type Invoke, UnaryCall } from "./unary-call.ts";
import type { UnaryMethod } from "./unary-methods.ts";

export interface ServeUnaryOptions {
  readonly interceptors: readonly Interceptor[];
  /** Largest request message, in bytes after decompression. */
  readonly readMaxBytes: number;
  /** Replies of at least this many bytes are compressed for callers that accept it. */
  readonly compressMinBytes: number;
  /** Longest time a call may take, in milliseconds; a caller's longer timeout is cut to it. */
  readonly maxTimeoutMs?: (method: DescMethodUnary) => number;
}

/** Takes a stream, or leaves it to others by returning false. */
export type TakeStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

/** Serves unary gRPC calls with protobuf messages to `methods` (by path); leaves all other streams. */
export function serveUnary(
  methods: ReadonlyMap<string, UnaryMethod>,
  options: ServeUnaryOptions,
): TakeStream {
  const invoke = withInterceptors(options.interceptors);
  return (stream, headers) => {
    const method = methods.get(headers[":path"] as string);
    if (!method || headers[":method"] !== "POST" || !isGrpcProto(headers["content-type"])) return false;
    carry(stream, new UnaryCall(stream, headers, method, options, invoke));
    return true;
  };
}

/** All interceptors around the handler of the call; put together once and not for each call. */
function withInterceptors(interceptors: readonly Interceptor[]): Invoke {
  const handle: Invoke = (request) => {
    const call = request.contextValues.get(callKey);
    if (!call) throw new Error("an interceptor has replaced the context values of the call");
    return call.handle(request);
  };
  return interceptors.reduceRight((next, interceptor) => interceptor(next as never) as Invoke, handle);
}
