/** Clients of the health service over our transport, and the servers that tests put before them. */
import http2, {
  type Http2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import {
  Health,
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { Http2Sessions } from "../../http2-sessions.ts";
import { frame } from "../message.ts";
import { grpcTransport } from "../transport.ts";

/** What a test has started, in order. */
export const cleanUp: (() => unknown)[] = [];

/** For `afterEach`. */
export async function endAll(): Promise<void> {
  for (const one of cleanUp.splice(0).reverse()) await one();
}

export function clientOf(
  port: number,
  options: { interceptors?: Interceptor[]; compressMinBytes?: number } = {},
): Client<typeof Health> {
  const sessions = new Http2Sessions(`http://127.0.0.1:${port}`);
  cleanUp.push(() => sessions.destroy());
  return createClient(
    Health,
    grpcTransport({ sessions, interceptors: [], readMaxBytes: 10_000, ...options }),
  );
}

/** A grpc-js server whose Check is `check`. */
export async function grpcJs(check: grpc.handleUnaryCall<HealthCheckRequest, Status>, port = 0) {
  const server = new grpc.Server();
  const definition = {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Buffer) => fromBinary(HealthCheckRequestSchema, bytes),
    requestSerialize: () => Buffer.alloc(0),
    responseSerialize: (status: Status) =>
      Buffer.from(toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status }))),
    responseDeserialize: () => undefined,
  };
  server.addService({ check: definition }, { check });
  const bound = await new Promise<number>((done, fail) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, number) =>
      error ? fail(error) : done(number),
    ),
  );
  cleanUp.push(() => server.forceShutdown());
  return { server, port: bound };
}

/** A server of bare frames. */
export async function bare(onStream: (stream: ServerHttp2Stream, count: number) => void) {
  const server: Http2Server = http2.createServer();
  const sessions: ServerHttp2Session[] = [];
  let count = 0;
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.resume();
    onStream(stream, ++count);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  cleanUp.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions, seen: () => count };
}

/** A reply of one message. */
export const reply = frame(
  toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: Status.SERVING })),
);

export function answer(
  stream: ServerHttp2Stream,
  body: Buffer | undefined,
  trailers: OutgoingHttpHeaders | undefined,
  headers: OutgoingHttpHeaders = {},
): void {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", ...headers },
    { waitForTrailers: trailers !== undefined },
  );
  stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
  stream.end(body);
}

export const ok = (stream: ServerHttp2Stream) => answer(stream, reply, { "grpc-status": "0" });
