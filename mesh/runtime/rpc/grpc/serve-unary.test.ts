/** The server as peers see it. What it refuses: refused-requests.test.ts. */
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "#gen/google/rpc/status_pb.ts";
import {
  Health,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { createRpcServer } from "../rpc-server.ts";
import { frame } from "./message.ts";
import {
  checkPath,
  type HealthServer,
  readMaxBytes,
  replyOf,
  request,
  serving,
  startHealthServer,
} from "./testdata/health-server.ts";

let served: HealthServer;
const call: HealthServer["call"] = (...args) => served.call(...args);
const raw: HealthServer["raw"] = (...args) => served.raw(...args);

beforeAll(async () => {
  served = await startHealthServer();
});
afterAll(() => served.close());

test("metadata goes both ways, bytes included", async () => {
  served.check = (_, { requestHeader, responseHeader, responseTrailer }) => {
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
  served.check = (_, { responseHeader }) => {
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
  served.check = () => {
    throw new ConnectError("no", Code.NotFound);
  };
  const { headers, trailers } = await raw({}, frame(request("a")));
  expect(headers).toMatchObject({ ":status": 200, "grpc-status": "5", "grpc-message": "no" });
  expect(trailers).toEqual({});
});

test("a status that is longer than headers may be is cut, and leaves the connection to the others", async () => {
  served.check = () => {
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
  served.check = serving;
  expect((await raw({}, frame(request("ann")))).trailers["grpc-status"]).toBe("0");
});

test("callers never see the text of an unexpected error", async () => {
  served.check = () => {
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
  served.check = (_, context) => {
    seen = context;
    return late.promise;
  };
  const { reply } = call("a", undefined, { deadline: Date.now() + 600_000 });
  await expect.poll(() => seen?.timeoutMs()).toBeGreaterThan(1_000);
  late.resolve({ status: Status.SERVING });
  await reply;

  served.check = () => new Promise(() => {});
  const { headers } = await raw({ "grpc-timeout": "30m" }, frame(request("a")));
  expect(headers["grpc-status"]).toBe("4");
});

test("the handler's signal tells why: the deadline", async () => {
  const aborted = Promise.withResolvers<unknown>();
  served.check = (_, { signal }) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    return new Promise(() => {});
  };
  await raw({ "grpc-timeout": "30m" }, frame(request("a")));
  expect(await aborted.promise).toMatchObject({ code: Code.DeadlineExceeded });
});

test("a caller that leaves aborts the handler's signal", async () => {
  const running = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  served.check = (_, { signal }) => {
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

test("the signal is aborted when a call is over, for whatever was begun on its behalf", async () => {
  let signal: AbortSignal | undefined;
  served.check = (_, context) => {
    signal = context.signal;
    return { status: Status.SERVING };
  };
  await call("a").reply;
  await expect.poll(() => signal?.aborted).toBe(true);
});

test("compressed requests are read, long replies are compressed for those who accept it", async () => {
  served.check = (name, { requestHeader }) => {
    expect(requestHeader.get("grpc-encoding")).toBe("gzip");
    return { status: name === "ann" ? Status.SERVING : Status.NOT_SERVING };
  };
  const { body, trailers } = await raw({ "grpc-encoding": "gzip" }, frame(gzipSync(request("ann")), true));
  expect(trailers["grpc-status"]).toBe("0");
  expect(fromBinary(HealthCheckResponseSchema, body.subarray(5)).status).toBe(Status.SERVING);
});

test("interceptors and handlers get what Connect's own server gives them", async () => {
  const seen: unknown[] = [];
  served.interceptors = [
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
  served.check = (_, context) => {
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
    served.interceptors = [];
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
