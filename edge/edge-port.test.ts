/** What arrives at the port before anything knows what it is for: broken, hostile and slow bytes. */
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  endHeaders,
  endStream,
  frameType,
  headerBlock,
  http2Frame,
  preface,
  resetFrame,
} from "#mesh/runtime/rpc/testdata/http2-frames.ts";
import { registry } from "../test/transcode/schema.ts";
import { startUpstream, type Upstream } from "../test/transcode/upstream.ts";
import type { EdgePort } from "./edge-port.ts";
import { gatewayServer } from "./gateway.ts";
import { edgePages } from "./pages.ts";
import { createProtocols } from "./protocols/protocols.ts";
import { createTranscoder } from "./transcode/transcoder.ts";
import { upstreamCalls } from "./upstream/calls.ts";
import { Pool } from "./upstream/pool.ts";

let upstream: Upstream;
let sessions: Pool;
let edge: EdgePort;
/** Does not wait for slow clients. */
let impatient: EdgePort;

beforeAll(async () => {
  upstream = await startUpstream();
  sessions = new Pool(`http://127.0.0.1:${upstream.port}`);
  const upstreamFor = () => upstreamCalls(sessions);
  const handlers = [createProtocols({ registry, upstreamFor }), createTranscoder({ registry, upstreamFor })];
  const pages = await edgePages({ isReady: () => true });
  edge = gatewayServer(handlers, pages);
  impatient = gatewayServer(handlers, pages, {
    limits: { headersTimeoutMs: 300, requestTimeoutMs: 300, keepAliveTimeoutMs: 300, stallTimeoutMs: 300 },
  });
  for (const { server } of [edge, impatient]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
});

afterAll(async () => {
  await Promise.all([edge.drain(100), impatient.drain(100)]);
  sessions.destroy();
  await upstream.close();
});

beforeEach(() => {
  upstream.calls.length = 0;
});

/** Sends the pieces one after another, each in a packet of its own, and gives back what came until the end. */
const send = (...pieces: (string | Buffer)[]): Promise<string> => sendTo(edge, ...pieces);

async function sendTo({ server }: EdgePort, ...pieces: (string | Buffer)[]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = net.connect({ host: "127.0.0.1", port, noDelay: true });
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}).on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) {
    if (socket.destroyed) break;
    const written = new Promise<void>((resolve) => {
      socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece, () => resolve());
    });
    await Promise.race([written, closed]);
    await new Promise(setImmediate);
  }
  await closed;
  return Buffer.concat(chunks).toString("latin1");
}

const HOST = "Host: x\r\n";
const get = (path: string, fields = HOST): string => `GET ${path} HTTP/1.1\r\n${fields}\r\n`;
const last = `${HOST}Connection: close\r\n`;
const post = (fields: string, body: string): string =>
  `POST /b1/star HTTP/1.1\r\n${last}Content-Type: application/json\r\n${fields}\r\n${body}`;
const statusesOf = (answer: string): string[] => answer.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? [];

/** The edge is still there, and answers. */
async function expectAlive(): Promise<void> {
  expect(statusesOf(await send(get("/p1/things/1", last)))).toEqual(["200"]);
}

describe("a request that is no proper HTTP/1.1", () => {
  const chunked = "Transfer-Encoding: chunked\r\n";
  test.each([
    ["bytes of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["no HTTP version", "GET /p1/things/1\r\n\r\n"],
    ["a version of HTTP that has another form", `GET /p1/things/1 HTTP/2.0\r\n${last}\r\n`],
    [
      "such a version, and a body that is not read",
      `POST /p1/things/1 HTTP/2.0\r\n${last}Content-Length: 9\r\n\r\n{`,
    ],
    ["a version that does not exist", `GET /p1/things/1 HTTP/1.2\r\n${last}\r\n`],
    ["a bad preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"],
    ["no host", "GET /p1/things/1 HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["a host that is none", get("/p1/things/1", "Host: a/b\r\nConnection: close\r\n")],
    ["a space in the target", get("/p1/things/a b", last)],
    ["bytes in the target that are not ASCII", get("/p1/things/\xe9", last)],
    ["a NUL in the target", get("/p1/things/\0", last)],
    ["lines that end in LF alone", `GET /p1/things/1 HTTP/1.1\n${last.replaceAll("\r", "")}\n`],
    ["a folded header", get("/p1/things/1", `${last}X-A: a\r\n b\r\n`)],
    ["a space before a header's colon", get("/p1/things/1", `${last}X-A : a\r\n`)],
    ["a NUL in a header", get("/p1/things/1", `${last}X-A: a\0b\r\n`)],
    ["a header without a name", get("/p1/things/1", `${last}: a\r\n`)],
    ["two lengths", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}")],
    ["a list of lengths", post("Content-Length: 2, 2\r\n", "{}")],
    ["a negative length", post("Content-Length: -2\r\n", "{}")],
    ["a length beyond all numbers", post("Content-Length: 99999999999999999999\r\n", "{}")],
    ["a length and chunks", post(`Content-Length: 2\r\n${chunked}`, "2\r\n{}\r\n0\r\n\r\n")],
    ["two transfer codings", post(`${chunked}${chunked}`, "2\r\n{}\r\n0\r\n\r\n")],
    ["chunks of chunks", post("Transfer-Encoding: chunked, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")],
    [
      "a transfer coding hidden from others",
      post("Transfer-Encoding: \x0bchunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
    ],
    [
      "chunks in HTTP/1.0",
      `POST /b1/star HTTP/1.0\r\nContent-Type: application/json\r\n${chunked}\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ["a chunk size with a sign", post(chunked, "+2\r\n{}\r\n0\r\n\r\n")],
    ["a chunk size in C's notation", post(chunked, "0x2\r\n{}\r\n0\r\n\r\n")],
    ["a chunk size beyond all numbers", post(chunked, "FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n")],
    ["a chunk that is longer than it says", post(chunked, "2\r\n{}}\r\n0\r\n\r\n")],
    ["chunks that end in LF alone", post(chunked, "2\n{}\n0\n\n")],
  ])("%s is refused and calls nobody", async (_what, bytes) => {
    const answer = await send(bytes);
    expect(statusesOf(answer)).toEqual(["400"]);
    expect(answer).toContain('{"code":3,"message":"');
    expect(upstream.calls).toEqual([]);
    await expectAlive();
  });

  test("a transfer coding that nobody decodes is 501", async () => {
    const coded = post("Transfer-Encoding: gzip, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n");
    expect(statusesOf(await send(coded))).toEqual(["501"]);
    expect(upstream.calls).toEqual([]);
  });

  test("CONNECT is refused with an answer", async () => {
    const answer = await send(`CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`);
    expect(statusesOf(answer)).toEqual(["405"]);
    expect(answer).toContain('{"code":12,');
  });

  test("too many headers are refused before an upstream sees them", async () => {
    const many = Array.from({ length: 120 }, (_, i) => `x-${i}: 1\r\n`).join("");
    expect(statusesOf(await send(get("/p1/things/1", last + many)))).toEqual(["431"]);
    expect(upstream.calls).toEqual([]);
  });
});

test("a client that waits for permission to send gets it, or a refusal", async () => {
  const head = `POST /b1/star HTTP/1.1\r\n${last}Content-Type: application/json\r\n`;
  const granted = await send(`${head}Content-Length: 9\r\nExpect: 100-continue\r\n\r\n`, '{"i32":1}');
  expect(statusesOf(granted)).toEqual(["100", "200"]);
  const refused = await send(`${head}Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n`);
  expect(statusesOf(refused)).toEqual(["413"]);
  const unknown = await send(`${head}Content-Length: 9\r\nExpect: a-miracle\r\n\r\n{"i32":1}`);
  expect(statusesOf(unknown)).toEqual(["417"]);
  expect(unknown).toContain('{"code":3,');
});

describe("requests one after another on a connection", () => {
  test("are answered in order", async () => {
    const answer = await send(get("/p1/things/1") + get("/nope") + get("/p1/things/3", last));
    expect(statusesOf(answer)).toEqual(["200", "404", "200"]);
  });

  test("go on after an error whose request was read to its end", async () => {
    const bad = `POST /b1/star HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{`;
    expect(statusesOf(await send(bad + get("/p1/things/1", last)))).toEqual(["400", "200"]);
  });

  test.each([
    [
      "with a body that was refused unread",
      `POST /p1/things/1 HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}`,
    ],
    ["that was to be the last", get("/p1/things/special", last)],
  ])("do not run after one %s", async (_what, first) => {
    const answer = await send(first + get("/p1/things/1", last));
    expect(statusesOf(answer)).toHaveLength(1);
    expect(upstream.calls.map(({ rpc }) => rpc)).not.toContain("bars.transcode.v1.Paths/GetThing");
  });
});

test("a body may be cut anywhere", async () => {
  const whole = post(
    "Transfer-Encoding: chunked\r\n",
    '4;a=b\r\n{"i3\r\n5\r\n2":1}\r\n0\r\nX-Trailer: a\r\n\r\n',
  );
  expect(statusesOf(await send(...whole))).toEqual(["200"]);
});

test.each([
  ["headers that never end", get("/p1/things/1").slice(0, -2)],
  ["nothing at all", ""],
  ["a body that never comes", post("Content-Length: 10\r\n", "{")],
])("a client that sends %s is cut off", async (_what, bytes) => {
  const answer = await sendTo(impatient, bytes);
  expect(["", "408"]).toContain(statusesOf(answer).join());
  await expectAlive();
});

test("bombs are refused while they are still small", async () => {
  const zeros = gzipSync(Buffer.alloc(100_000_000));
  const head = post(`Content-Encoding: gzip\r\nContent-Length: ${zeros.length}\r\n`, "");
  const before = process.memoryUsage().rss;
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(head, zeros)));
  expect(answers.map((answer) => statusesOf(answer).join())).toEqual(Array(8).fill("413"));
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);

  const deep = `{"self":`.repeat(100_000);
  expect(statusesOf(await send(post(`Content-Length: ${deep.length}\r\n`, deep)))).toEqual(["400"]);
});

describe("HTTP/2", () => {
  const frame = (type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
  /** GET, http, path and authority, without entries in the dynamic table (RFC 7541). */
  const fields = (path: string): Buffer =>
    Buffer.concat([Buffer.from([0x82, 0x86, 0x04]), text(path), Buffer.from([0x01]), text("x")]);
  const opening = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0)]);
  const END_STREAM = 1;
  const END_HEADERS = 4;
  const [HEADERS, RST_STREAM, CONTINUATION] = [1, 3, 9];

  test("a client that opens streams and resets them at once is cut off", async () => {
    const burst = Array.from({ length: 3_000 }, (_, i) => [
      frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, fields("/p1/things/1")),
      frame(RST_STREAM, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8])),
    ]).flat();
    await send(opening, Buffer.concat(burst));
    expect(upstream.calls.length).toBeLessThan(1_500);
    await expectAlive();
  });

  const field = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.of(0), text(name), text(value)]);
  const postFields = (contentType: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x83, 0x86, 0x04]),
      text("/b1/star"),
      field("host", "x"),
      field("content-type", contentType),
    ]);
  const [DATA, GOAWAY] = [0, 7];
  const typesOf = (answer: string): number[] => {
    const bytes = Buffer.from(answer, "latin1");
    const types: number[] = [];
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]!);
    return types;
  };

  test("a body that comes too slowly is answered, and its stream ended", async () => {
    const answer = await sendTo(
      impatient,
      opening,
      frame(HEADERS, END_HEADERS, 1, postFields("application/json")),
      frame(DATA, 0, 1, Buffer.from('{"id":')),
    );
    expect(answer).toContain("the request took too long");
    expect(typesOf(answer)).toContain(RST_STREAM);
    expect(upstream.calls).toHaveLength(0);
  });

  test("a stream of gRPC may take its time", async () => {
    const headers = frame(HEADERS, END_HEADERS, 1, postFields("application/grpc"));
    const answer = await sendTo(impatient, opening, headers, frame(DATA, 0, 1, Buffer.from([0])));
    expect(answer).not.toContain("the request took too long");
  });

  test("a connection on which nothing happens is closed", async () => {
    expect(typesOf(await sendTo(impatient, opening))).toContain(GOAWAY);
  });

  test("an answer that nobody takes is given up", async () => {
    // A client whose streams have no window.
    const settings = frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
    const start = Buffer.concat([opening.subarray(0, 24), settings]);
    const answer = await sendTo(
      impatient,
      start,
      frame(HEADERS, END_STREAM | END_HEADERS, 1, fields("/p1/things/1")),
    );
    expect(typesOf(answer)).toContain(HEADERS);
    expect(typesOf(answer)).not.toContain(DATA);
    await expectAlive();
  });

  test("headers that never end are cut off", async () => {
    const endless = Array.from({ length: 1_000 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16_000, 0)));
    await send(opening, frame(HEADERS, 0, 1, fields("/p1/things/1")), ...endless);
    await expectAlive();
  });

  test.each([
    ["a frame longer than agreed", Buffer.from("0fffff0100000000010000", "hex")],
    ["headers that do not decode", frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.alloc(40, 0xff))],
    ["a stream number of the server's", frame(HEADERS, END_STREAM | END_HEADERS, 2, fields("/p1/things/1"))],
    ["data for no stream", frame(0, 0, 0, Buffer.from("x"))],
  ])("%s ends the connection, and nothing else", async (_what, bytes) => {
    await send(opening, bytes);
    await expectAlive();
  });
});

test.each([
  ["CONNECT", "CONNECT library:80 HTTP/1.1\r\nHost: library:80\r\n\r\n"],
  ["a version that is not spoken", "GET /v1/books HTTP/2.0\r\nHost: library\r\n\r\n"],
  ["what is no HTTP", "library\r\n\r\n"],
  ["a request that is too slow", "POST /v1/books HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1"],
])("a connection may break after the answer to %s", async (_, request) => {
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  const { port } = impatient.server.address() as AddressInfo;
  const socket = net.connect(port, "127.0.0.1").on("error", () => {});
  socket.write(request);
  await once(socket, "data");
  socket.resetAndDestroy();
  await expect
    .poll(() => new Promise((resolve) => impatient.server.getConnections((_error, open) => resolve(open))))
    .toBe(0);
  process.off("unhandledRejection", note).off("uncaughtException", note);
  expect(failures).toEqual([]);
});

test.each([
  ["with its headers", "text/plain", "", false],
  ["with a call that is refused", "application/grpc", "\x00\xff\xff\xff\xff", false],
  ["with a body that makes no sense", "application/json", "{", false],
  ["with a body that comes later and makes no sense", "application/json", "{", true],
  ["with a page that does not exist", "text/html", "", false],
])("a stream may be reset together %s", async (_, type, body, later) => {
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  const { port } = edge.server.address() as AddressInfo;
  const paths = ["/b1/star", "/p1/things/1", "/nowhere", "/docs"];
  for (const path of paths) {
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    const fields = { ":method": "POST", ":scheme": "http", ":path": path, ":authority": "library" };
    const block = headerBlock({ ...fields, "content-type": type });
    const headers = http2Frame(frameType.headers, endHeaders, 1, block);
    const rest = [http2Frame(frameType.data, endStream, 1, Buffer.from(body, "latin1")), resetFrame(1, 8)];
    const ping = http2Frame(frameType.ping, 0, 0, Buffer.alloc(8));
    if (later) {
      socket.write(Buffer.concat([preface, headers]));
      await once(socket, "data");
      socket.write(Buffer.concat([...rest, ping]));
    } else socket.write(Buffer.concat([preface, headers, ...rest, ping]));
    let received = Buffer.alloc(0);
    // Everything before it has been looked at.
    while (!received.includes(http2Frame(frameType.ping, 1, 0, Buffer.alloc(8))))
      received = Buffer.concat([received, (await once(socket, "data"))[0]]);
    socket.destroy();
  }
  process.off("unhandledRejection", note).off("uncaughtException", note);
  expect(failures).toEqual([]);
});

test("a connection may break in the middle of a body over HTTP/2", async () => {
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  const { port } = impatient.server.address() as AddressInfo;
  for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    const fields = { ":method": "POST", ":scheme": "http", ":path": "/b1/star", ":authority": "library" };
    const block = headerBlock({ ...fields, "content-type": "application/json" });
    const headers = http2Frame(frameType.headers, endHeaders, 1, block);
    const ping = http2Frame(frameType.ping, 0, 0, Buffer.alloc(8));
    socket.write(Buffer.concat([preface, headers, http2Frame(frameType.data, 0, 1, Buffer.from("{")), ping]));
    await once(socket, "data");
    socket[leave]();
    await expect
      .poll(() => new Promise((resolve) => impatient.server.getConnections((_error, open) => resolve(open))))
      .toBe(0);
  }
  process.off("unhandledRejection", note).off("uncaughtException", note);
  expect(failures).toEqual([]);
});
