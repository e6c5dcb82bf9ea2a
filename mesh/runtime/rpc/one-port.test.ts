import { once } from "node:events";
import http from "node:http";
import http2, { type ServerHttp2Stream } from "node:http2";
import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createOnePort } from "./one-port.ts";
import {
  endHeaders,
  frameType,
  headerBlock,
  http2Frame,
  preface,
  resetFrame,
} from "./testdata/http2-frames.ts";

let server: http.Server;
let port: number;
let streams: ServerHttp2Stream[];
/** Requests for /held that have come whole. */
let ended = 0;
/** Requests for /watched. */
let watched = 0;

beforeEach(async () => {
  streams = [];
  ended = 0;
  watched = 0;
  server = createOnePort({
    http1: (request, response) => {
      if (request.url === "/held") return;
      if (request.url === "/watched") {
        // As libraries watch a request: until its response is over.
        const onError = () => {};
        request.on("error", onError).resume();
        response.on("close", () => request.off("error", onError));
        watched++;
      } else if (request.url === "/early") {
        response.end("early");
      } else if (request.url === "/stops-reading") {
        void stopReading(request).then(() => response.end("early"));
      } else {
        request.resume();
        request.on("end", () => response.end("http/1.1"));
      }
    },
    http2: (request, response) => {
      if (request.url !== "/held") return void response.end("request");
      response.writeHead(200);
      response.write("held");
      request.on("end", () => ended++).resume();
    },
    takeStream: (stream, headers) => {
      if (headers[":path"] !== "/taken") return false;
      stream.on("error", () => {});
      streams.push(stream);
      return true;
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
async function stopReading(request: http.IncomingMessage) {
  for await (const _ of request) return;
}
afterEach(() => {
  server.closeAllConnections();
  server.closeIdleConnections();
  for (const stream of streams) stream.session?.destroy();
  server.close();
});

test("one port speaks HTTP/1.1 and HTTP/2, and streams that nobody takes become requests", async () => {
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("http/1.1");
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ":path": "/" }).setEncoding("utf8");
  const [text] = await once(stream, "data");
  expect(text).toBe("request");
  expect(streams).toHaveLength(0);
  session.close();
});

test.each([
  ["ends its connection", (socket: net.Socket) => socket.end()],
  ["resets its connection", (socket: net.Socket) => socket.resetAndDestroy()],
])("the streams of an HTTP/2 peer that %s are closed", async (_, leave) => {
  let socket!: net.Socket;
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    createConnection: () => {
      socket = net.connect(port, "127.0.0.1");
      return socket;
    },
  });
  session.on("error", () => {});
  session.request({ ":path": "/taken", ":method": "POST" }).on("error", () => {});
  await expect.poll(() => streams.length).toBe(1);
  const closed = new Promise((resolve) => streams[0]?.once("close", resolve));
  leave(socket);
  await closed;
  await expect
    .poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))))
    .toBe(0);
});

test("an HTTP/1.1 answer that leaves before the whole request ends the connection and says so", async () => {
  const request = http.request({ port, host: "127.0.0.1", path: "/early", method: "POST", agent: false });
  request.on("error", () => {});
  request.write("first part");
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  expect(response.headers.connection).toBe("close");
  request.destroy();
});

test.each(["/early", "/stops-reading"])(
  "an answer that leaves before the whole request reaches a client that sends on (%s)",
  async (path) => {
    const rest = Buffer.alloc(1_048_576);
    const socket = net.connect(port, "127.0.0.1").setEncoding("utf8");
    const failures: Error[] = [];
    socket.on("error", (error) => failures.push(error));
    socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${rest.length + 1}\r\n\r\n1`);
    const [answer] = await once(socket, "data");
    expect(answer).toContain("\r\n\r\nearly");
    socket.write(rest);
    await once(socket, "close");
    expect(failures).toEqual([]);
  },
);

test("the rest of a request whose answer has left is not read for ever", async () => {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  const chunk = Buffer.alloc(65_536);
  socket.write("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
  let sent = 0;
  while (!socket.destroyed && sent < 100_000_000) {
    sent += chunk.length;
    await new Promise((resolve) => socket.write(chunk, resolve));
  }
  expect(sent).toBeLessThan(100_000_000);
});

/** Begins and cancels calls, `together` at a time, until `count` or until the connection has gone. */
async function cancelCalls(session: http2.ClientHttp2Session, count: number, together = 50): Promise<number> {
  let cancelled = 0;
  while (cancelled < count && !session.closed && !session.destroyed) {
    const calls = Array.from({ length: together }, () =>
      session.request({ ":path": "/taken", ":method": "POST" }).on("error", () => {}),
    );
    const closed = calls.map((call) => new Promise((resolve) => call.once("close", resolve)));
    for (const call of calls) call.close(http2.constants.NGHTTP2_CANCEL);
    await Promise.all(closed);
    cancelled += together;
  }
  return cancelled;
}

test("calls that their callers give up, a thousand at once, do not end the other calls of the connection", async () => {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  const held = session.request({ ":path": "/taken", ":method": "POST" }).setEncoding("utf8");
  held.on("error", () => {});
  await expect.poll(() => streams.length).toBe(1);
  expect(await cancelCalls(session, 1_000)).toBe(1_000);
  streams[0]!.respond({ ":status": 200 });
  streams[0]!.end("answer");
  let text = "";
  held.on("data", (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => held.once("close", resolve));
  expect(text).toBe("answer");
  session.destroy();
});

test("a peer that does nothing but reset its streams loses its connection (CVE-2023-44487)", async () => {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  expect(await cancelCalls(session, 100_000, 100)).toBeLessThan(100_000);
  session.destroy();
});

test.each([
  ["that somebody takes", "/taken", {}],
  ["that becomes a request", "/", {}],
  ["that waits for permission to send its body", "/", { expect: "100-continue" }],
  ["that expects what nobody can do", "/", { expect: "miracles" }],
])("a stream %s may be reset by what comes together with it", async (_, path, more) => {
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  const fields = { ":method": "POST", ":scheme": "http", ":path": path, ":authority": "library", ...more };
  for (const code of [http2.constants.NGHTTP2_CANCEL, http2.constants.NGHTTP2_INTERNAL_ERROR]) {
    const socket = net.connect(port, "127.0.0.1").on("error", () => {});
    const headers = http2Frame(frameType.headers, endHeaders, 1, headerBlock(fields));
    socket.write(Buffer.concat([preface, headers, resetFrame(1, code)]));
    // Ends the connection with an error: that of a frame that belongs to no stream.
    socket.write(http2Frame(frameType.headers, endHeaders, 2, headerBlock(fields)));
    socket.resume();
    await once(socket, "close");
  }
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ":path": "/" }).setEncoding("utf8");
  expect((await once(stream, "data"))[0]).toBe("request");
  session.destroy();
  process.off("unhandledRejection", note).off("uncaughtException", note);
  expect(failures).toEqual([]);
});

test("a request over HTTP/2 whose rest does not come is given up, one that is a stream is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const session = http2.connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const begin = async (type: string) => {
    const stream = session.request({ ":path": "/held", ":method": "POST", "content-type": type });
    stream.on("error", () => {}).resume();
    await once(stream, "response");
    return stream;
  };
  const [slow, whole, endless] = [
    await begin("application/json"),
    await begin("application/json"),
    await begin("application/grpc-web"),
  ];
  whole.end();
  await expect.poll(() => ended).toBe(1);
  const closed = once(slow, "close");
  vi.advanceTimersByTime(15_000);
  await closed;
  expect(slow.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
  expect([whole.closed, endless.closed]).toEqual([false, false]);
});

test("a connection may break in the middle of a request that waits for the answer to another", async () => {
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  process.on("unhandledRejection", note).on("uncaughtException", note);
  const socket = net.connect(port, "127.0.0.1").on("error", () => {});
  socket.write("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  socket.write("POST /watched HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1");
  await expect.poll(() => watched).toBe(1);
  socket.resetAndDestroy();
  await expect
    .poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))))
    .toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note).off("uncaughtException", note);
  expect(failures).toEqual([]);
});
