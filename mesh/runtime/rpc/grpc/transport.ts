/** A transport of Connect's API that makes gRPC calls over pooled HTTP/2 connections. */
import type { Interceptor, Transport } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport } from "@connectrpc/connect-node";
import { callUnary, type StreamSource } from "./call-unary.ts";
import { correctStreamErrors } from "./stream-errors.ts";

export interface GrpcTransportOptions {
  readonly sessions: StreamSource;
  readonly interceptors: Interceptor[];
  /** Largest reply message, in bytes after decompression. */
  readonly readMaxBytes: number;
  /** Requests of at least this many bytes are compressed; none by default. */
  readonly compressMinBytes?: number;
}

/** Unary calls go straight through node:http2, streams through Connect's transport on the same connections. */
export function grpcTransport(options: GrpcTransportOptions): Transport {
  const { sessions, interceptors, readMaxBytes, compressMinBytes = Number.POSITIVE_INFINITY } = options;
  const connect = createGrpcTransport({
    baseUrl: sessions.origin,
    interceptors: [...interceptors, correctStreamErrors()],
    readMaxBytes,
    acceptCompression: [compressionGzip],
    ...(Number.isFinite(compressMinBytes) && { sendCompression: compressionGzip, compressMinBytes }),
    sessionManager: {
      authority: sessions.origin,
      request: async (method, path, headers) =>
        sessions.request({ ...headers, ":method": method, ":path": path }),
      notifyResponseByteRead() {},
    },
  });
  return {
    unary: callUnary({ sessions, interceptors, readMaxBytes, compressMinBytes }) as Transport["unary"],
    stream: connect.stream,
  };
}
