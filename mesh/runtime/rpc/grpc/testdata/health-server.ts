/** A server of the health service as peers see it: @grpc/grpc-js, and frames by hand where a peer must misbehave. */
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { createRpcServer } from "../../rpc-server.ts";

export const readMaxBytes = 10_000;
export const checkPath = "/grpc.health.v1.Health/Check";

type Check = (name: string, context: HandlerContext) => Promise<{ status: Status }> | { status: Status };

export const serving: Check = () => ({ status: Status.SERVING });

export const request = (service: string) =>
  toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));

export interface RawReply {
  headers: Record<string, unknown>;
  trailers: Record<string, unknown>;
  body: Buffer;
}

/** A running server, and two clients of it. */
export interface HealthServer {
  readonly port: number;
  readonly client: grpc.Client;
  readonly session: ClientHttp2Session;
  /** What the handler does. */
  check: Check;
  /** Run around it. */
  interceptors: Interceptor[];
  /** A call through grpc-js. */
  call(service: string, metadata?: grpc.Metadata, options?: grpc.CallOptions): StartedCall;
  /** A request of any shape. */
  raw(headers: OutgoingHttpHeaders, body: Uint8Array): Promise<RawReply>;
  close(): Promise<void>;
}

export interface StartedCall {
  readonly call: grpc.ClientUnaryCall;
  readonly reply: Promise<HealthCheckResponse>;
  headers(): grpc.Metadata;
  trailers(): grpc.Metadata;
}

export async function startHealthServer(): Promise<HealthServer> {
  const server = await createRpcServer({
    groups: [
      {
        routes: (router) =>
          router.service(Health, { check: ({ service }, context) => served.check(service, context) }),
        interceptors: [
          (next) => (received) => served.interceptors.reduceRight((inner, one) => one(inner), next)(received),
        ],
        maxTimeoutMs: () => 60_000,
      },
    ],
    readMaxBytes,
    compressMinBytes: 1_000,
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const served: HealthServer = {
    port,
    client,
    session,
    check: serving,
    interceptors: [],
    call: (service, metadata, options) => startCall(client, service, metadata, options),
    raw(headers, body) {
      const stream = session.request({
        ":method": "POST",
        ":path": checkPath,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      stream.end(body);
      return replyOf(stream);
    },
    async close() {
      client.close();
      session.close();
      await server.close();
    },
  };
  return served;
}

function startCall(
  client: grpc.Client,
  service: string,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
): StartedCall {
  let started!: grpc.ClientUnaryCall;
  let headers = new grpc.Metadata();
  let trailers = new grpc.Metadata();
  const reply = new Promise<HealthCheckResponse>((done, fail) => {
    started = client.makeUnaryRequest(
      checkPath,
      (name: string) =>
        Buffer.from(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service: name }))),
      (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes),
      service,
      metadata,
      options,
      (error, value) => (error ? fail(error) : done(value as HealthCheckResponse)),
    );
    started.on("metadata", (received) => {
      headers = received;
    });
    started.on("status", ({ metadata: received }) => {
      trailers = received;
    });
  });
  return { call: started, reply, headers: () => headers, trailers: () => trailers };
}

/** What comes on a stream until it is closed. */
export async function replyOf(stream: ClientHttp2Stream): Promise<RawReply> {
  const reply: RawReply = { headers: {}, trailers: {}, body: Buffer.alloc(0) };
  const chunks: Buffer[] = [];
  stream.on("response", (received) => Object.assign(reply.headers, received));
  stream.on("trailers", (received) => Object.assign(reply.trailers, received));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  reply.body = Buffer.concat(chunks);
  return reply;
}
