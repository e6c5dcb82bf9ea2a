/** The server as peers see it: @grpc/grpc-js, and frames by hand where a peer must misbehave. */
import { once } from "node:events";
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from "node:http2";
import net, { type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "#gen/google/rpc/status_pb.ts";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { createRpcServer } from "../rpc-server.ts";
import {
  endHeaders,
  endStream,
  frameType,
  headerBlock,
  http2Frame,
  preface,
  resetFrame,
} from "../testdata/http2-frames.ts";
import { frame } from "./message.ts";

const readMaxBytes = 10_000;
const checkPath = "/grpc.health.v1.Health/Check";

type Check = (name: string, context: HandlerContext) => Promise<{ status: Status }> | { status: Status };
let check: Check;
let interceptors: Interceptor[] = [];
let server: FastifyInstance;
let port: number;
let client: grpc.Client;
let session: ClientHttp2Session;

beforeAll(async () => {
  server = await createRpcServer({
    groups: [
      {
        routes: (router) =>
          router.service(Health, { check: ({ service }, context) => check(service, context) }),
        interceptors: [
          (next) => (request) => interceptors.reduceRight((inner, one) => one(inner), next)(request),
        ],
        maxTimeoutMs: () => 60_000,
      },
    ],
    readMaxBytes,
    compressMinBytes: 1_000,
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  port = (server.server.address() as AddressInfo).port;
  client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  session = http2.connect(`http://127.0.0.1:${port}`);
});
afterAll(async () => {
  client.close();
  session.close();
  await server.close();
});

/** A call through grpc-js. */
function call(service: string, metadata = new grpc.Metadata(), options: grpc.CallOptions = {}) {
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

interface RawReply {
  headers: Record<string, unknown>;
  trailers: Record<string, unknown>;
  body: Buffer;
}

/** A request of any shape. */
async function raw(headers: OutgoingHttpHeaders, body: Uint8Array): Promise<RawReply> {
  const stream = session.request({
    ":method": "POST",
    ":path": checkPath,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.end(body);
  return replyOf(stream);
}

async function replyOf(stream: ClientHttp2Stream): Promise<RawReply> {
  const reply: RawReply = { headers: {}, trailers: {}, body: Buffer.alloc(0) };
  const chunks: Buffer[] = [];
  stream.on("response", (received) => Object.assign(reply.headers, received));
  stream.on("trailers", (received) => Object.assign(reply.trailers, received));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  reply.body = Buffer.concat(chunks);
  return reply;
}

const block = headerBlock({
  ":method": "POST",
  ":scheme": "http",
  ":path": checkPath,
  ":authority": "library",
  "content-type": "application/grpc",
});

const serving: Check = () => ({ status: Status.SERVING });
const request = (service: string) =>
  toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));

test("metadata goes both ways, bytes included", async () => {
  check = (_, { requestHeader, responseHeader, responseTrailer }) => {
    responseHeader.set("x-echo", requestHeader.get("x-name") ?? "");
    responseHeader.set("x-bytes-bin", requestHeader.get("x-bytes-bin") ?? "");
    responseTrailer.set("x-cost", "7");
    return { status: Status.SERVING };
  };
  const metadata = new grpc.Metadata();
  metadata.set("x-name", "ann");
  metadata.set("x-bytes-bin", Buffer.from([0, 1, 255]));
  const { reply, headers, trailers } = call("a", metadata);
  expect((await reply).status).toBe(Status.SERVING);
  expect(headers().get("x-echo")).toEqual(["ann"]);
  expect(headers().get("x-bytes-bin")).toEqual([Buffer.from([0, 1, 255])]);
  expect(trailers().get("x-cost")).toEqual(["7"]);
});

test("an error arrives with code, text, details and metadata", async () => {
  check = (_, { responseHeader }) => {
    responseHeader.set("x-seen", "yes");
    const error = new ConnectError("größer als 100 %", Code.FailedPrecondition, { "x-hint": "a" });
    error.details.push({ desc: BadRequestSchema, value: { fieldViolations: [{ field: "name" }] } });
    throw error;
  };
  const { reply, headers } = call("a");
  const error = (await reply.catch((reason) => reason)) as grpc.ServiceError;
  expect(error).toMatchObject({ code: grpc.status.FAILED_PRECONDITION, details: "größer als 100 %" });
  expect(error.metadata.get("grpc-status-details-bin")).toHaveLength(1);
  expect(error.metadata.get("x-hint")).toEqual(["a"]);
  expect(headers().get("x-seen")).toEqual(["yes"]);
});

test("an error without headers is a response of trailers only", async () => {
  check = () => {
    throw new ConnectError("no", Code.NotFound);
  };
  const { headers, trailers } = await raw({}, frame(request("a")));
  expect(headers).toMatchObject({ ":status": 200, "grpc-status": "5", "grpc-message": "no" });
  expect(trailers).toEqual({});
});

test("a status that is longer than headers may be is cut, and leaves the connection to the others", async () => {
  check = () => {
    const error = new ConnectError("é".repeat(100_000), Code.NotFound);
    const long = { field: "x".repeat(70_000), description: "" };
    error.details.push({ desc: BadRequestSchema, value: { fieldViolations: [long] } });
    error.details.push({ desc: ErrorInfoSchema, value: { reason: "GONE" } });
    throw error;
  };
  const first = await raw({}, frame(request("ann")));
  expect(first.headers["grpc-status"]).toBe("5");
  expect(decodeURIComponent(String(first.headers["grpc-message"]))).toBe(`${"é".repeat(2_000)}…`);
  const details = Buffer.from(String(first.headers["grpc-status-details-bin"]), "base64");
  expect(fromBinary(StatusSchema, details).details.map(({ typeUrl }) => typeUrl)).toEqual([
    "type.googleapis.com/google.rpc.ErrorInfo",
  ]);
  check = serving;
  expect((await raw({}, frame(request("ann")))).trailers["grpc-status"]).toBe("0");
});

test("callers never see the text of an unexpected error", async () => {
  check = () => {
    throw new TypeError("secret");
  };
  await expect(call("a").reply).rejects.toMatchObject({
    code: grpc.status.INTERNAL,
    details: "internal error",
  });
});

test("the caller's deadline reaches the handler, and ends the call though the handler goes on", async () => {
  const late = Promise.withResolvers<{ status: Status }>();
  let seen: HandlerContext | undefined;
  check = (_, context) => {
    seen = context;
    return late.promise;
  };
  const { reply } = call("a", undefined, { deadline: Date.now() + 600_000 });
  await expect.poll(() => seen?.timeoutMs()).toBeGreaterThan(1_000);
  late.resolve({ status: Status.SERVING });
  await reply;

  check = () => new Promise(() => {});
  const { headers } = await raw({ "grpc-timeout": "30m" }, frame(request("a")));
  expect(headers["grpc-status"]).toBe("4");
});

test("the handler's signal tells why: the deadline", async () => {
  const aborted = Promise.withResolvers<unknown>();
  check = (_, { signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    return new Promise(() => {});
  };
  await raw({ "grpc-timeout": "30m" }, frame(request("a")));
  expect(await aborted.promise).toMatchObject({ code: Code.DeadlineExceeded });
});

test("a caller that leaves aborts the handler's signal", async () => {
  const running = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  check = (_, { signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    running.resolve();
    return new Promise(() => {});
  };
  const { call: started, reply } = call("a");
  reply.catch(() => {});
  await running.promise;
  started.cancel();
  expect(await aborted.promise).toMatchObject({ code: Code.Canceled });
});

test.each<[string, Uint8Array]>([
  ["before its message", Buffer.alloc(0)],
  ["within the prefix of its message", Buffer.from([0, 0])],
  ["after the prefix of its message", frame(Buffer.alloc(9_000)).subarray(0, 5)],
  ["after the prefix of a message that is too large", Buffer.from([0, 0xff, 0xff, 0xff, 0xff])],
  ["within its message", frame(request("ann")).subarray(0, 7)],
  ["after its message", frame(request("ann"))],
  ["in the middle of two messages", Buffer.concat([frame(request("ann")), Buffer.from([0])])],
])("a caller that leaves %s disturbs nobody, also when all that it sent comes at once", async (_, sent) => {
  check = serving;
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  for (const code of [http2.constants.NGHTTP2_CANCEL, http2.constants.NGHTTP2_NO_ERROR]) {
    for (const ends of [false, true]) {
      const socket = net.connect(port, "127.0.0.1").on("error", () => {});
      const data = sent.length > 0 ? [http2Frame(frameType.data, ends ? endStream : 0, 1, sent)] : [];
      const headers = http2Frame(
        frameType.headers,
        endHeaders | (ends && !data[0] ? endStream : 0),
        1,
        block,
      );
      socket.write(Buffer.concat([preface, headers, ...data, resetFrame(1, code)]));
      const ping = http2Frame(frameType.ping, 0, 0, Buffer.alloc(8));
      socket.write(ping);
      let received = Buffer.alloc(0);
      // Everything before it has been looked at.
      while (!received.includes(http2Frame(frameType.ping, 1, 0, Buffer.alloc(8))))
        received = Buffer.concat([received, (await once(socket, "data"))[0]]);
      socket.destroy();
      expect((await call("bob").reply).status).toBe(Status.SERVING);
    }
  }
  process.off("unhandledRejection", note).off("uncaughtException", note);
  expect(failures).toEqual([]);
});

test("the signal is aborted when a call is over, for whatever was begun on its behalf", async () => {
  let signal: AbortSignal | undefined;
  check = (_, context) => {
    signal = context.signal;
    return { status: Status.SERVING };
  };
  await call("a").reply;
  await expect.poll(() => signal?.aborted).toBe(true);
});

test("a malformed timeout is refused", async () => {
  check = serving;
  expect((await raw({ "grpc-timeout": "soon" }, frame(request("a")))).headers["grpc-status"]).toBe("3");
});

test("a message above the limit is refused before it has come", async () => {
  check = serving;
  const stream = session.request({
    ":method": "POST",
    ":path": checkPath,
    "content-type": "application/grpc",
  });
  stream.write(frame(Buffer.alloc(readMaxBytes + 1)).subarray(0, 100));
  expect((await replyOf(stream)).headers["grpc-status"]).toBe("8");
});

test("a small message that grows above the limit is refused", async () => {
  check = serving;
  const bomb = frame(gzipSync(request("a".repeat(readMaxBytes))), true);
  expect(bomb.length).toBeLessThan(1_000);
  expect((await raw({ "grpc-encoding": "gzip" }, bomb)).headers["grpc-status"]).toBe("8");
});

test("compressed requests are read, long replies are compressed for those who accept it", async () => {
  check = (name, { requestHeader }) => {
    expect(requestHeader.get("grpc-encoding")).toBe("gzip");
    return { status: name === "ann" ? Status.SERVING : Status.NOT_SERVING };
  };
  const { body, trailers } = await raw({ "grpc-encoding": "gzip" }, frame(gzipSync(request("ann")), true));
  expect(trailers["grpc-status"]).toBe("0");
  expect(fromBinary(HealthCheckResponseSchema, body.subarray(5)).status).toBe(Status.SERVING);
});

test("an unknown compression is refused with the list of known ones", async () => {
  check = serving;
  const { headers } = await raw({ "grpc-encoding": "snappy" }, frame(request("a"), true));
  expect(headers).toMatchObject({ "grpc-status": "12", "grpc-accept-encoding": "gzip" });
});

test.each([
  ["no message", Buffer.alloc(0), "12"],
  ["two messages", Buffer.concat([frame(request("a")), frame(request("b"))]), "12"],
  ["half a message", frame(request("abc")).subarray(0, 7), "3"],
  ["bytes that are no protobuf", frame(Buffer.from([0xff, 0xff])), "13"],
  ["a compressed message without an encoding", frame(request("a"), true), "13"],
])("%s is refused", async (_, body, status) => {
  check = serving;
  expect((await raw({}, body)).headers["grpc-status"]).toBe(status);
});

test("headers that HTTP/2 forbids do not keep the status from leaving", async () => {
  check = (_, { responseHeader }) => {
    responseHeader.set("connection", "close");
    return { status: Status.SERVING };
  };
  expect((await raw({}, frame(request("a")))).headers["grpc-status"]).toBe("13");
});

test("a trailer that HTTP/2 forbids ends the stream, not the process", async () => {
  check = (_, { responseTrailer }) => {
    responseTrailer.set("connection", "close");
    return { status: Status.SERVING };
  };
  const stream = session.request({
    ":method": "POST",
    ":path": checkPath,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  stream.end(frame(request("a")));
  await replyOf(stream);
  expect(stream.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR);
  check = serving;
  expect((await call("a").reply).status).toBe(Status.SERVING);
});

test("methods without a handler and unknown methods are UNIMPLEMENTED", async () => {
  for (const path of [
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Nothing",
    "/no.Service/Nothing",
  ]) {
    const bytes = (value: Buffer): Buffer => value;
    const reply = new Promise((done, fail) =>
      client.makeUnaryRequest<Buffer, Buffer>(path, bytes, bytes, Buffer.alloc(0), (error, value) =>
        error ? fail(error) : done(value),
      ),
    );
    await expect(reply, path).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  }
});

test.each([
  [{ "content-type": "text/plain" }, 415],
  [{ "content-type": "application/grpc; charset=x" }, 415],
  [{ ":method": "PUT" }, 405],
])("a request with %j is answered with HTTP %d", async (headers, status) => {
  check = serving;
  expect((await raw(headers, Buffer.alloc(0))).headers[":status"]).toBe(status);
});

test("interceptors and handlers get what Connect's own server gives them", async () => {
  const seen: unknown[] = [];
  interceptors = [
    (next) => async (received) => {
      seen.push([received.stream, received.service.typeName, received.method.name, received.requestMethod]);
      received.header.set("x-added", "1");
      const reply = await next({ ...received, signal: AbortSignal.any([received.signal]) });
      reply.trailer.set("x-outer", "2");
      return { ...reply, header: new Headers({ "x-replaced": "3" }) };
    },
    (next) => (received) => {
      seen.push((received.message as { service?: string }).service);
      return next(received);
    },
  ];
  check = (_, context) => {
    seen.push([context.protocolName, context.requestMethod, context.method.name, context.service.typeName]);
    seen.push([context.requestHeader.get("x-added"), new URL(context.url).pathname]);
    context.responseHeader.set("x-handler", "lost");
    return { status: Status.SERVING };
  };
  try {
    const { reply, headers, trailers } = call("ann");
    await reply;
    expect(seen).toEqual([
      [false, "grpc.health.v1.Health", "Check", "POST"],
      "ann",
      ["grpc", "POST", "Check", "grpc.health.v1.Health"],
      ["1", checkPath],
    ]);
    expect(headers().get("x-replaced")).toEqual(["3"]);
    expect(headers().get("x-handler")).toEqual([]);
    expect(trailers().get("x-outer")).toEqual(["2"]);
  } finally {
    interceptors = [];
  }
});

test("calls in flight finish when the server closes", async () => {
  const late = Promise.withResolvers<{ status: Status }>();
  const running = Promise.withResolvers<void>();
  const closing = await createRpcServer({
    groups: [
      {
        routes: (router) =>
          router.service(Health, {
            check: () => {
              running.resolve();
              return late.promise;
            },
          }),
        interceptors: [],
      },
    ],
    readMaxBytes,
    compressMinBytes: 1_000,
  });
  await closing.listen({ host: "127.0.0.1", port: 0 });
  const other = http2.connect(`http://127.0.0.1:${(closing.server.address() as AddressInfo).port}`);
  const stream = other.request({ ":method": "POST", ":path": checkPath, "content-type": "application/grpc" });
  stream.end(frame(request("a")));
  const reply = replyOf(stream);
  await running.promise;
  const closed = closing.close();
  await once(other, "goaway");
  late.resolve({ status: Status.SERVING });
  expect((await reply).trailers["grpc-status"]).toBe("0");
  await closed;
});
