/** The client against @grpc/grpc-js, and against servers that misbehave. */
import http2, { type ServerHttp2Stream } from "node:http2";
import { gzipSync } from "node:zlib";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";
import { frame } from "./message.ts";
import { errorTrailers } from "./status.ts";
import { answer, bare, clientOf, endAll, grpcJs, ok, reply } from "./testdata/health-peers.ts";

afterEach(endAll);

test("metadata goes both ways, bytes included, and the deadline goes along", async () => {
  let deadline: grpc.Deadline | undefined;
  const { port } = await grpcJs((call, done) => {
    deadline = call.getDeadline();
    const headers = new grpc.Metadata();
    headers.set("x-echo", call.metadata.get("x-name")[0] as string);
    headers.set("x-bytes-bin", call.metadata.get("x-bytes-bin")[0] as Buffer);
    call.sendMetadata(headers);
    const trailers = new grpc.Metadata();
    trailers.set("x-cost", "7");
    done(null, call.request.service === "ann" ? Status.SERVING : Status.UNKNOWN, trailers);
  });
  let headers = new Headers();
  let trailers = new Headers();
  const before = Date.now();
  const { status } = await clientOf(port).check(
    { service: "ann" },
    {
      headers: { "x-name": "ann", "x-bytes-bin": "AAH/" },
      timeoutMs: 3_600_000,
      onHeader: (received) => {
        headers = received;
      },
      onTrailer: (received) => {
        trailers = received;
      },
    },
  );
  expect(status).toBe(Status.SERVING);
  expect(headers.get("x-echo")).toBe("ann");
  expect(headers.get("x-bytes-bin")?.replace(/=+$/, "")).toBe("AAH/");
  expect(trailers.get("x-cost")).toBe("7");
  expect(Math.abs(Number(deadline) - before - 3_600_000)).toBeLessThan(300_000);
});

test("an error brings code, text, details and metadata", async () => {
  const sent = new ConnectError("größer als 100 %", Code.FailedPrecondition);
  sent.details.push({ desc: ErrorInfoSchema, value: { reason: "TOO_BIG" } });
  const { port } = await grpcJs((_, done) => {
    const metadata = new grpc.Metadata();
    metadata.set("x-hint", "a");
    const details = errorTrailers(sent, new Headers())["grpc-status-details-bin"] as string;
    metadata.set("grpc-status-details-bin", Buffer.from(details, "base64"));
    done({ code: grpc.status.FAILED_PRECONDITION, details: sent.rawMessage, metadata });
  });
  const error = (await clientOf(port)
    .check({})
    .catch((reason) => reason)) as ConnectError;
  expect(error).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "größer als 100 %" });
  expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("TOO_BIG");
  expect(error.metadata.get("x-hint")).toBe("a");
});

test("a deadline ends the call on both sides", async () => {
  const [reached, cancelled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  const { port } = await grpcJs((call) => {
    calls++;
    call.on("cancelled", () => cancelled.resolve());
    reached.resolve();
  });
  const client = clientOf(port);
  // One whose time is over before it leaves never gets there: the next has twice as much.
  for (let timeoutMs = 30; calls === 0; timeoutMs *= 2) {
    const call = client.check({}, { timeoutMs });
    await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  }
  await reached.promise;
  await cancelled.promise;
});

test.each<[string, Interceptor[]]>([
  ["no interceptor", []],
  ["one that copies the request", [(next) => (request) => next({ ...request } as typeof request)]],
])("an aborted signal cancels the call at the server, with %s", async (_, interceptors) => {
  const running = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const { port } = await grpcJs((call) => {
    call.on("cancelled", () => cancelled.resolve());
    running.resolve();
  });
  const abort = new AbortController();
  const call = clientOf(port, { interceptors }).check({}, { signal: abort.signal });
  call.catch(() => {});
  await running.promise;
  abort.abort();
  await expect(call).rejects.toMatchObject({ code: Code.Canceled });
  await cancelled.promise;
});

test("a signal that is aborted already sends nothing", async () => {
  const { port, seen } = await bare(ok);
  const call = clientOf(port).check({}, { signal: AbortSignal.abort() });
  await expect(call).rejects.toMatchObject({ code: Code.Canceled });
  expect(seen()).toBe(0);
});

test("a signal that is aborted while the request is being compressed sends nothing", async () => {
  const { port, seen } = await bare(ok);
  const abort = new AbortController();
  const call = clientOf(port, { compressMinBytes: 0 }).check({}, { signal: abort.signal });
  queueMicrotask(() => abort.abort());
  await expect(call).rejects.toMatchObject({ code: Code.Canceled });
  expect(seen()).toBe(0);
});

test("requests above the threshold are compressed, and grpc-js reads them", async () => {
  const { port } = await grpcJs((call, done) => {
    done(null, call.request.service.length === 5_000 ? Status.SERVING : Status.UNKNOWN);
  });
  const client = clientOf(port, { compressMinBytes: 100 });
  expect((await client.check({ service: "a".repeat(5_000) })).status).toBe(Status.SERVING);
});

test("a compressed reply is read", async () => {
  const { port } = await bare((stream) =>
    answer(
      stream,
      frame(gzipSync(reply.subarray(5)), true),
      { "grpc-status": "0" },
      { "grpc-encoding": "gzip" },
    ),
  );
  expect((await clientOf(port).check({})).status).toBe(Status.SERVING);
});

test.each<[string, Code, (stream: ServerHttp2Stream) => void]>([
  [
    "a reply above the limit",
    Code.ResourceExhausted,
    (s) => answer(s, frame(Buffer.alloc(10_001)), { "grpc-status": "0" }),
  ],
  [
    "a reply that grows above the limit",
    Code.ResourceExhausted,
    (s) =>
      answer(
        s,
        frame(gzipSync(Buffer.alloc(10_001)), true),
        { "grpc-status": "0" },
        { "grpc-encoding": "gzip" },
      ),
  ],
  [
    "two messages",
    Code.Unimplemented,
    (s) => answer(s, Buffer.concat([reply, reply]), { "grpc-status": "0" }),
  ],
  ["no message", Code.Unimplemented, (s) => answer(s, undefined, { "grpc-status": "0" })],
  ["half a message", Code.Internal, (s) => answer(s, reply.subarray(0, 6), { "grpc-status": "0" })],
  ["no trailers", Code.Internal, (s) => answer(s, reply, undefined)],
  ["a status before a body", Code.Internal, (s) => answer(s, reply, undefined, { "grpc-status": "9" })],
  [
    "trailers only",
    Code.NotFound,
    (s) =>
      s.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": "5" },
        { endStream: true },
      ),
  ],
  [
    "another content type",
    Code.Unknown,
    (s) => answer(s, Buffer.from("<html>"), undefined, { "content-type": "text/html" }),
  ],
  [
    "an unknown encoding",
    Code.Internal,
    (s) => answer(s, reply, { "grpc-status": "0" }, { "grpc-encoding": "snappy" }),
  ],
  [
    "HTTP 503 from something between",
    Code.Unavailable,
    (s) => answer(s, Buffer.from("busy"), undefined, { ":status": 503, "content-type": "text/plain" }),
  ],
  ["HTTP 404", Code.Unimplemented, (s) => s.respond({ ":status": 404 }, { endStream: true })],
  ["a reset", Code.Internal, (s) => s.close(http2.constants.NGHTTP2_INTERNAL_ERROR)],
  [
    "a reset in the middle",
    Code.Internal,
    (s) => {
      s.respond({ ":status": 200, "content-type": "application/grpc" });
      s.write(reply.subarray(0, 6), () => s.close(http2.constants.NGHTTP2_PROTOCOL_ERROR));
    },
  ],
  ["a cancellation", Code.Canceled, (s) => s.close(http2.constants.NGHTTP2_CANCEL)],
  [
    "a request to calm down",
    Code.ResourceExhausted,
    (s) => s.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM),
  ],
  ["a connection that breaks", Code.Unavailable, (s) => s.session?.destroy()],
])("%s is code %d", async (_, code, onStream) => {
  const { port } = await bare(onStream);
  await expect(clientOf(port).check({})).rejects.toMatchObject({ code });
});

test("a server whose clock strikes first has not canceled: the deadline has passed", async () => {
  const { port } = await bare((stream) => {
    // The process is so busy that its own timer fires late.
    const end = Date.now() + 40;
    while (Date.now() < end);
    stream.close(http2.constants.NGHTTP2_CANCEL);
  });
  const client = clientOf(port);
  await expect(client.check({}, { timeoutMs: 30 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  const watch = async () => {
    for await (const _ of client.watch({}, { timeoutMs: 30 }));
  };
  await expect(watch()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
});

test("a reply stream that breaks off is INTERNAL", async () => {
  const { port } = await bare((stream) => answer(stream, reply.subarray(0, 6), { "grpc-status": "0" }));
  const watch = async () => {
    for await (const _ of clientOf(port).watch({}));
  };
  await expect(watch()).rejects.toMatchObject({ code: Code.Internal });
});

test("interceptors see the request and the reply, may change both, and may try again", async () => {
  const { port } = await bare((stream, count) =>
    count === 1 ? answer(stream, undefined, { "grpc-status": "14" }) : ok(stream),
  );
  const seen: unknown[] = [];
  const client = clientOf(port, {
    interceptors: [
      (next) => async (request) => {
        seen.push([
          request.stream,
          request.method.name,
          request.requestMethod,
          new URL(request.url).pathname,
        ]);
        seen.push(request.header.get("grpc-timeout"));
        const response = await next(request).catch(() => next(request));
        response.header.set("x-added", "1");
        return response;
      },
    ],
  });
  let headers = new Headers();
  await client.check(
    {},
    {
      timeoutMs: 5_000,
      onHeader: (received) => {
        headers = received;
      },
    },
  );
  expect(seen).toEqual([[false, "Check", "POST", "/grpc.health.v1.Health/Check"], "5000m"]);
  expect(headers.get("x-added")).toBe("1");
});
