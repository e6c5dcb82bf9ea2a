/**
 * gRPC, gRPC-Web, Connect and HTTP pages on one port. Unary gRPC is served straight from HTTP/2 streams;
 * everything else by Connect's plugin, from the same handlers and interceptors.
 */
import type { ServerHttp2Stream } from "node:http2";
import type tls from "node:tls";
import type { DescMethodUnary, Registry } from "@bufbuild/protobuf";
import { type ConnectRouter, createContextValues, type Interceptor } from "@connectrpc/connect";
import { fastifyConnectPlugin } from "@connectrpc/connect-fastify";
import { compressionGzip } from "@connectrpc/connect-node";
import { type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import { peerKey, peerOf } from "../identity/peer.ts";
import { serveUnary } from "./grpc/serve-unary.ts";
import { unaryMethodsOf } from "./grpc/unary-methods.ts";
import { onePort } from "./one-port.ts";

/** Services that share interceptors. */
export interface RouteGroup {
  readonly routes: (router: ConnectRouter) => void;
  readonly interceptors: Interceptor[];
  /** Longest time a unary call may take, in milliseconds; a caller's longer timeout is cut to it. */
  readonly maxTimeoutMs?: (method: DescMethodUnary) => number;
}

export interface RpcServerOptions {
  readonly groups: readonly RouteGroup[];
  /** Largest message, in bytes after decompression. */
  readonly readMaxBytes: number;
  /** Replies of at least this many bytes are compressed for callers that accept it. */
  readonly compressMinBytes: number;
  /** Aborts the signals of streams: they end by themselves only when somebody tells them. */
  readonly shutdownSignal?: AbortSignal;
  /** Message types that google.protobuf.Any may hold in JSON. */
  readonly types?: Registry;
  /** Speaks TLS on the same port; see mutual-tls.ts. */
  readonly secure?: tls.Server;
}

/** A server that does not listen yet; pages may be added to it. */
export async function createRpcServer(options: RpcServerOptions): Promise<FastifyInstance> {
  const { groups, readMaxBytes, compressMinBytes, shutdownSignal, types, secure } = options;
  const takers = groups.map(({ routes, interceptors, maxTimeoutMs }) =>
    serveUnary(unaryMethodsOf(routes), { interceptors, maxTimeoutMs, readMaxBytes, compressMinBytes }),
  );
  const server = fastify({
    serverFactory: onePort((stream, headers) => takers.some((take) => take(stream, headers)), secure),
    forceCloseConnections: "idle",
    bodyLimit: readMaxBytes,
  });
  for (const { routes, interceptors } of groups) {
    await server.register(fastifyConnectPlugin, {
      routes,
      interceptors,
      readMaxBytes,
      compressMinBytes,
      acceptCompression: [compressionGzip],
      shutdownSignal,
      jsonOptions: { registry: types },
      contextValues: ({ raw }) => createContextValues().set(peerKey, peerOf(connectionOf(raw))),
    });
  }
  return server;
}

/** An HTTP/2 request is typed as an HTTP/1.1 one, and has a stream. */
function connectionOf(request: FastifyRequest["raw"]): object | undefined {
  const { stream } = request as { stream?: ServerHttp2Stream };
  return stream ? stream.session : request.socket;
}
