/** Requests and replies that make no sense get a status, or end their stream, and disturb nobody else. */
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";
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

const block = headerBlock({
  ":method": "POST",
  ":scheme": "http",
  ":path": checkPath,
  ":authority": "library",
  "content-type": "application/grpc",
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
  served.check = serving;
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  for (const code of [http2.constants.NGHTTP2_CANCEL, http2.constants.NGHTTP2_NO_ERROR]) {
    for (const ends of [false, true]) {
      const socket = net.connect(served.port, "127.0.0.1").on("error", () => {});
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

test("a malformed timeout is refused", async () => {
  served.check = serving;
  expect((await raw({ "grpc-timeout": "soon" }, frame(request("a")))).headers["grpc-status"]).toBe("3");
});

test("a message above the limit is refused before it has come", async () => {
  served.check = serving;
  const stream = served.session.request({
    ":method": "POST",
    ":path": checkPath,
    "content-type": "application/grpc",
  });
  stream.write(frame(Buffer.alloc(readMaxBytes + 1)).subarray(0, 100));
  expect((await replyOf(stream)).headers["grpc-status"]).toBe("8");
});

test("a small message that grows above the limit is refused", async () => {
  served.check = serving;
  const bomb = frame(gzipSync(request("a".repeat(readMaxBytes))), true);
  expect(bomb.length).toBeLessThan(1_000);
  expect((await raw({ "grpc-encoding": "gzip" }, bomb)).headers["grpc-status"]).toBe("8");
});

test("an unknown compression is refused with the list of known ones", async () => {
  served.check = serving;
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
  served.check = serving;
  expect((await raw({}, body)).headers["grpc-status"]).toBe(status);
});

test("headers that HTTP/2 forbids do not keep the status from leaving", async () => {
  served.check = (_, { responseHeader }) => {
    responseHeader.set("connection", "close");
    return { status: Status.SERVING };
  };
  expect((await raw({}, frame(request("a")))).headers["grpc-status"]).toBe("13");
});

test("a trailer that HTTP/2 forbids ends the stream, not the process", async () => {
  served.check = (_, { responseTrailer }) => {
    responseTrailer.set("connection", "close");
    return { status: Status.SERVING };
  };
  const stream = served.session.request({
    ":method": "POST",
    ":path": checkPath,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  stream.end(frame(request("a")));
  await replyOf(stream);
  expect(stream.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR);
  served.check = serving;
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
      served.client.makeUnaryRequest<Buffer, Buffer>(path, bytes, bytes, Buffer.alloc(0), (error, value) =>
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
  served.check = serving;
  expect((await raw(headers, Buffer.alloc(0))).headers[":status"]).toBe(status);
});
