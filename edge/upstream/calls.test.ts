import { once } from "node:events";
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Code, type StatusError } from "../transcode/status.ts";
import { upstreamCalls } from "./calls.ts";
import { Pool } from "./pool.ts";

let server: http2.Http2Server;
let sessions: Pool;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  server = http2.createServer();
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  sessions = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  sessions.destroy();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

const nothing = Buffer.alloc(5);

/** How a call ends that the upstream treats like this. */
function endOf(upstream: (stream: ServerHttp2Stream) => void): Promise<StatusError | undefined> {
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    upstream(stream);
  });
  return new Promise((resolve) => {
    const call = upstreamCalls(sessions)("/p.S/M", {}, undefined, {
      onHeaders() {},
      onData() {},
      onEnd: ({ error }) => resolve(error),
    });
    call.end(nothing);
  });
}

const loseConnection: [string, () => void][] = [
  ["closed", () => sockets[0]!.destroy()],
  ["reset", () => sockets[0]!.resetAndDestroy()],
];

describe.each(loseConnection)("a connection that is %s", (_how, lose) => {
  test("before the headers makes the upstream unavailable, not the call cancelled", async () => {
    expect(await endOf(lose)).toMatchObject({ code: Code.unavailable });
  });

  test("after a message makes the upstream unavailable", async () => {
    const end = endOf((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.write(nothing, lose);
    });
    expect(await end).toMatchObject({ code: Code.unavailable });
  });
});

test("a connection that cannot be made makes the upstream unavailable", async () => {
  const port = (server.address() as AddressInfo).port;
  server.close();
  await once(server, "close");
  sessions = new Pool(`http://127.0.0.1:${port}`);
  expect(await endOf(() => {})).toMatchObject({ code: Code.unavailable });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
});

test.each([
  [http2.constants.NGHTTP2_CANCEL, Code.cancelled],
  [http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, Code.resourceExhausted],
  [http2.constants.NGHTTP2_INADEQUATE_SECURITY, Code.permissionDenied],
  [http2.constants.NGHTTP2_INTERNAL_ERROR, Code.internal],
])("a stream that the upstream resets with %i ends with %i", async (reset, code) => {
  expect(await endOf((stream) => stream.close(reset))).toMatchObject({ code });
});

test("an upstream that shuts down and cancels a call has cancelled it", async () => {
  const end = endOf((stream) => {
    (stream.session as ServerHttp2Session).close();
    // The GOAWAY comes first.
    setImmediate(() => stream.close(http2.constants.NGHTTP2_CANCEL));
  });
  expect(await end).toMatchObject({ code: Code.cancelled });
});

test("a call that the upstream never looked at is sent once more", async () => {
  let seen = 0;
  const end = endOf((stream) => {
    if (++seen === 1) return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "0" });
    stream.end();
  });
  expect(await end).toBeUndefined();
  expect(seen).toBe(2);
});
