import { spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { create, type DescMethod, type DescService, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registry } from "../../test/transcode/schema.ts";
import { startUpstream, type Upstream } from "../../test/transcode/upstream.ts";
import type { EdgePort } from "../edge-port.ts";
import { gatewayServer } from "../gateway.ts";
import { edgePages } from "../pages.ts";
import { StatusError } from "../transcode/status.ts";
import { upstreamCalls } from "../upstream/calls.ts";
import { Pool } from "../upstream/pool.ts";
import { createProtocols } from "./protocols.ts";

const service = (name: string): DescService => registry.getService(`bars.transcode.v1.${name}`)!;
const bodies = service("Bodies");
const streams = service("Streams");
const errors = service("Errors");
const meta = service("Meta");
const hidden = (method: DescMethod): boolean => method.name === "Field" || method.parent.name === "Raw";

let upstream: Upstream;
let edge: EdgePort;
let baseUrl: string;
let sessions: Pool;
const finished: string[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
  sessions = new Pool(`http://127.0.0.1:${upstream.port}`);
  const start = upstreamCalls(sessions);
  const protocols = createProtocols({
    registry,
    upstreamFor: (one) => (one.typeName.startsWith("bars.") ? start : undefined),
    exposes: (method) => !hidden(method),
    admit: ({ headers, metadata }) => {
      if (headers["x-refuse"]) throw new StatusError(Code.PermissionDenied, "not for you");
      metadata["x-added"] = "by the edge";
      delete metadata["x-removed"];
      return { responseHeaders: { "x-policy": "seen" } };
    },
    onFinish: (call, { code }) => finished.push(`${call.method.name} ${call.protocol} ${code}`),
  });
  edge = gatewayServer([protocols], await edgePages({ isReady: () => true }));
  edge.server.listen(0, "127.0.0.1");
  await once(edge.server, "listening");
  baseUrl = `http://127.0.0.1:${(edge.server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await edge.drain(100);
  sessions.destroy();
  await upstream.close();
});

type Unary = (request: object, options?: object) => Promise<Message & Record<string, unknown>>;
type Streaming = (request: unknown, options?: object) => AsyncIterable<Message & Record<string, unknown>>;
const client = (of: DescService, transport: Transport) =>
  createClient(of, transport) as unknown as Record<string, never>;
const unary = (of: DescService, method: string, transport: Transport) =>
  client(of, transport)[method] as unknown as Unary;
const streaming = (of: DescService, method: string, transport: Transport) =>
  client(of, transport)[method] as unknown as Streaming;

async function* listOf<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}
const everything = registry.getMessage("bars.transcode.v1.Everything")!;
const message = (init: object): Message => create(everything, init as never);

describe.each([
  ["gRPC", () => createGrpcTransport({ baseUrl })],
  ["gRPC-Web over HTTP/1.1", () => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC-Web over HTTP/2", () => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
  ["Connect with JSON", () => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  [
    "Connect with protobuf",
    () => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true }),
  ],
])("%s", (_name, transport) => {
  test("a unary call reaches the upstream and its reply the client", async () => {
    const reply = await unary(
      bodies,
      "star",
      transport(),
    )({ displayName: "é", i64: 2n ** 60n, tags: ["a", "b"] });
    expect(reply).toMatchObject({ displayName: "é", i64: 2n ** 60n, tags: ["a", "b"] });
  });

  test("a large message passes", async () => {
    const reply = await unary(bodies, "star", transport())({ displayName: "x".repeat(300_000) });
    expect(String(reply.displayName)).toHaveLength(300_000);
  });

  test("a server stream arrives in order", async () => {
    const texts: unknown[] = [];
    for await (const { text } of streaming(streams, "watch", transport())({ count: 2000, prefix: "n" }))
      texts.push(text);
    expect(texts).toHaveLength(2000);
    expect(texts[1999]).toBe("n2000");
  });

  test("a stream that fails after messages ends with the error", async () => {
    const texts: unknown[] = [];
    const reading = (async () => {
      const call = streaming(
        streams,
        "watch",
        transport(),
      )({ count: 3, prefix: "n", failCode: 5, failAfter: 2 });
      for await (const { text } of call) texts.push(text);
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.NotFound, rawMessage: "failed" });
    expect(texts).toEqual(["n1", "n2"]);
  });

  test("a client stream is collected", async () => {
    const messages = listOf(message({ displayName: "a" }), message({ displayName: "b" }));
    const reply = await unary(streams, "collect", transport())(messages as never);
    expect(reply).toMatchObject({ count: 2, texts: ["a", "b"] });
  });

  test("an error keeps code, message and details", async () => {
    const error = await unary(
      errors,
      "fail",
      transport(),
    )({ code: 9, message: "nö %", details: true }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "nö %" });
    expect((error as ConnectError).details).toHaveLength(2);
  });

  test("metadata goes both ways, as the host wants it", async () => {
    let header: Headers | undefined;
    let trailer: Headers | undefined;
    const reply = await unary(
      meta,
      "report",
      transport(),
    )(
      { setHeader: { "x-reply": "r" }, setTrailer: { "x-late": "l" } },
      {
        headers: { "x-mine": "m", "x-removed": "secret" },
        onHeader: (headers: Headers) => (header = headers),
        onTrailer: (headers: Headers) => (trailer = headers),
      },
    );
    expect(reply.received).toMatchObject({ "x-mine": "m", "x-added": "by the edge" });
    expect(reply.received).not.toHaveProperty("x-removed");
    expect(header?.get("x-reply")).toBe("r");
    expect(header?.get("x-policy")).toBe("seen");
    expect(trailer?.get("x-late")).toBe("l");
  });

  test("a deadline reaches the upstream", async () => {
    const reply = await unary(meta, "report", transport())({}, { timeoutMs: 60_000 });
    expect(Number((reply.deadline as { seconds: bigint }).seconds)).toBeGreaterThanOrEqual(30);
  });

  test("a refusal of the host is the protocol's own error and makes no call", async () => {
    const before = upstream.calls.length;
    const call = unary(bodies, "star", transport())({}, { headers: { "x-refuse": "1" } });
    await expect(call).rejects.toMatchObject({ code: Code.PermissionDenied, rawMessage: "not for you" });
    expect(upstream.calls).toHaveLength(before);
  });

  test("a hidden method does not exist", async () => {
    await expect(unary(bodies, "field", transport())({})).rejects.toMatchObject({ code: Code.Unimplemented });
  });

  test("a client that leaves cancels the upstream's call", async () => {
    const leave = new AbortController();
    const call = streaming(
      streams,
      "watch",
      transport(),
    )({ count: 1_000_000, prefix: "n" }, { signal: leave.signal });
    await expect(
      (async () => {
        for await (const _ of call) leave.abort();
      })(),
    ).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => upstream.calls.at(-1)?.cancelled).toBe(true);
  });
});

test.each([
  ["gRPC", () => createGrpcTransport({ baseUrl })],
  ["Connect", () => createConnectTransport({ baseUrl, httpVersion: "2" })],
])("both sides of a %s stream talk in turns", async (_name, transport) => {
  let next = Promise.withResolvers<Message>();
  async function* turns(): AsyncGenerator<Message> {
    for (let turn = 0; turn < 3; turn++) {
      yield await next.promise;
      next = Promise.withResolvers<Message>();
    }
  }
  next.resolve(message({ i32: 1 }));
  const seen: unknown[] = [];
  for await (const { i32 } of streaming(streams, "chat", transport())(turns())) {
    seen.push(i32);
    next.resolve(message({ i32: Number(i32) + 1 }));
  }
  expect(seen).toEqual([1, 2, 3]);
});

test("gRPC-Web text is base64 in both directions", async () => {
  const frame = Buffer.from([0, 0, 0, 0, 0]);
  const response = await fetch(`${baseUrl}/bars.transcode.v1.Bodies/Star`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web-text" },
    body: frame.toString("base64"),
  });
  const pieces = (await response.text()).match(/[^=]+={0,2}/g) ?? [];
  const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")));
  expect(response.headers.get("content-type")).toBe("application/grpc-web-text");
  expect(bytes.subarray(0, 5)).toEqual(frame);
  expect(bytes.toString()).toContain("grpc-status: 0");
});

test.each([
  ["a bad character", "!!!!", 3],
  ["a frame that is cut", Buffer.from([0, 0, 0, 0, 9, 1]).toString("base64"), 13],
])("gRPC-Web text with %s is an error, not a hang", async (_what, body, code) => {
  const response = await fetch(`${baseUrl}/bars.transcode.v1.Bodies/Star`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web-text" },
    body,
  });
  const pieces = (await response.text()).match(/[^=]+={0,2}/g) ?? [];
  expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64"))).toString()).toContain(
    `grpc-status: ${code}`,
  );
});

test("Connect GET is refused for a method that may have side effects", async () => {
  const response = await fetch(
    `${baseUrl}/bars.transcode.v1.Bodies/Star?connect=v1&encoding=json&message=%7B%7D`,
  );
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe("POST");
});

test("every call is reported once it has ended", async () => {
  finished.length = 0;
  await unary(bodies, "star", createGrpcTransport({ baseUrl }))({});
  await unary(
    errors,
    "fail",
    createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  )({ code: 5 }).catch(() => {});
  await expect.poll(() => finished).toEqual(["Star grpc 0", "Fail connect 5"]);
});

describe("buf curl without a schema", () => {
  const buf = join(import.meta.dirname, "../../node_modules/.bin/buf");
  const curl = async (...args: string[]): Promise<string> => {
    const child = spawn(buf, ["curl", "--http2-prior-knowledge", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    await once(child, "close");
    return output;
  };

  test.each(["grpc", "grpcweb", "connect"])("calls a method by %s", async (protocol) => {
    const output = await curl(
      "--protocol",
      protocol,
      "-d",
      '{"displayName":"x"}',
      `${baseUrl}/bars.transcode.v1.Bodies/Star`,
    );
    expect(JSON.parse(output)).toEqual({ displayName: "x" });
  });

  test("lists exposed services and methods only", async () => {
    const services = await curl("--list-services", baseUrl);
    expect(services).toContain("bars.transcode.v1.Bodies");
    expect(services).not.toContain("Raw");
    const methods = await curl("--list-methods", baseUrl);
    expect(methods).toContain("Bodies/Star");
    expect(methods).not.toContain("Bodies/Field");
  });

  test("asks for health", async () => {
    const output = await curl(
      "--protocol",
      "grpc",
      "-d",
      '{"service":"bars.transcode.v1.Bodies"}',
      `${baseUrl}/grpc.health.v1.Health/Check`,
    );
    expect(JSON.parse(output)).toEqual({ status: "SERVING" });
  });
});
