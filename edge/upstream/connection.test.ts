import { constants } from "node:http2";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { frame, good, ScriptedPeer, T, trailers, uint32 } from "../testdata/scripted-peer.ts";
import { Code, type StatusError } from "../transcode/status.ts";
import type { Call } from "../transcode/upstream-call.ts";
import { upstreamCalls } from "./calls.ts";
import { Pool, type PoolOptions } from "./pool.ts";

let peer: ScriptedPeer;
let pool: Pool;

beforeEach(async () => {
  peer = await ScriptedPeer.start();
  pool = new Pool(peer.url);
});

afterEach(() => {
  vi.useRealTimers();
  pool.destroy();
  peer.stop();
});

const MESSAGE = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

interface Started {
  call: Call;
  data: Buffer[];
  metadata: object | undefined;
  end: Promise<{ error: StatusError | undefined; trailers: object }>;
}

function start(
  options: { message?: Buffer; metadata?: Record<string, string>; open?: boolean } = {},
): Started {
  const { message = MESSAGE, metadata = {}, open = false } = options;
  const started = { data: [] } as unknown as Started;
  started.end = new Promise((resolve) => {
    started.call = upstreamCalls(pool)("/p.S/M", metadata, undefined, {
      onHeaders: (headers) => {
        started.metadata = { ...headers };
      },
      onData: (chunk) => started.data.push(Buffer.from(chunk)),
      onEnd: resolve,
    });
  });
  if (!open) started.call.end(message);
  return started;
}

/** A call whose headers have reached the peer. */
async function arrived(id = 1): Promise<Started> {
  const started = start();
  await peer.frame((one) => one.type === T.headers && one.id === id);
  return started;
}

const goAwayCode = async () => (await peer.frame(({ type }) => type === T.goAway)).payload.readUInt32BE(4);

describe("a good answer", () => {
  test("may be cut and padded as the peer likes", async () => {
    const { end, data } = await arrived();
    const bytes = Buffer.concat([
      frame(T.headers, 0x8 | 0x20, 1, "\x02\0\0\0\0\x10\x88\0\0"),
      frame(T.continuation, 0, 1, "\x00\x01a"),
      frame(T.continuation, 4, 1, "\x011"),
      frame(0xee, 0xff, 1, "frames of unknown type mean nothing"),
      frame(T.data, 0x8, 1, `\x03${MESSAGE.toString("latin1")}\0\0\0`),
      frame(T.data, 0, 1),
      trailers(1),
    ]);
    for (const byte of bytes) peer.send(Buffer.of(byte));
    expect(await end).toMatchObject({ error: undefined });
    expect(Buffer.concat(data)).toEqual(MESSAGE);
  });

  test("may come after informational ones, and before the request is complete", async () => {
    const { end, metadata } = start({ open: true });
    await peer.frame(({ type }) => type === T.headers);
    // :status 103
    peer.send(frame(T.headers, 4, 1, "\x08\x03103"), good(1), trailers(1));
    expect((await end).error).toBeUndefined();
    expect(metadata).toBeUndefined();
    const reset = await peer.frame(({ type }) => type === T.reset);
    expect(reset.payload).toEqual(uint32(constants.NGHTTP2_NO_ERROR));
  });
});

describe("flow control", () => {
  const big = Buffer.alloc(200_000, 7);

  test("a large request waits for the windows of its stream and of the connection", async () => {
    start({ message: big });
    await peer.frame(({ type }) => type === T.headers);
    const sent = () =>
      peer.received
        .filter(({ type }) => type === T.data)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    await peer.frame(() => sent() === 65_535);
    peer.send(frame(T.window, 0, 1, uint32(100_000)));
    peer.send(frame(T.ping, 0, 0, "12345678"));
    await peer.frame(({ type }) => type === T.ping);
    expect(sent()).toBe(65_535);
    peer.send(frame(T.window, 0, 0, uint32(1_000_000)));
    await peer.frame(() => sent() === 165_535);
    // A larger initial window is room for open streams, too.
    peer.send(frame(T.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(200_000)])));
    const last = await peer.frame(({ type, flags }) => type === T.data && flags === 1);
    expect(last.payload.length).toBeLessThanOrEqual(16_384);
    expect(sent()).toBe(200_000);
  });

  test("writers hear when there is room", async () => {
    const { call } = start({ open: true });
    const room = new Promise<void>((resolve) => call.onDrain(resolve));
    expect(call.write(big)).toBe(false);
    await peer.frame(({ type }) => type === T.headers);
    peer.send(frame(T.window, 0, 1, uint32(200_000)), frame(T.window, 0, 0, uint32(200_000)));
    await room;
    expect(call.write(MESSAGE)).toBe(true);
  });

  test("the peer may send on as its data is taken, and not beyond what a paused reader takes", async () => {
    pool = new Pool(peer.url, { streamWindowBytes: 40_000, connectionWindowBytes: 90_000 });
    const { call, data, end } = await arrived();
    const part = frame(T.data, 0, 1, Buffer.alloc(10_000));
    peer.send(good(1), part, part);
    const grown = await peer.frame(({ type, id }) => type === T.window && id === 1);
    expect(grown.payload).toEqual(uint32(20_000));
    call.pause();
    peer.send(part, part, part, trailers(1));
    // Others on the connection are not held up by it.
    await peer.frame(({ id, payload }) => id === 0 && payload.equals(uint32(50_000)));
    expect(data.length).toBe(2);
    expect(peer.received.filter(({ type, id }) => type === T.window && id === 1)).toHaveLength(1);
    call.resume();
    await end;
    expect(data.length).toBe(5);
  });

  test("a peer that sends more than it may loses the connection", async () => {
    pool = new Pool(peer.url, { streamWindowBytes: 10_000 });
    const { end, call } = await arrived();
    call.pause();
    peer.send(good(1), frame(T.data, 0, 1, Buffer.alloc(10_001)));
    expect(await goAwayCode()).toBe(constants.NGHTTP2_FLOW_CONTROL_ERROR);
    expect(await end).toMatchObject({ error: { code: Code.unavailable } });
  });
});

describe("what breaks the protocol ends the connection", () => {
  const { NGHTTP2_PROTOCOL_ERROR, NGHTTP2_FRAME_SIZE_ERROR, NGHTTP2_COMPRESSION_ERROR } = constants;
  const window = (id: number, more: number) => frame(T.window, 0, id, uint32(more));
  test.each<[string, Buffer[], number]>([
    ["a frame larger than agreed", [frame(T.data, 0, 1, Buffer.alloc(16_385))], NGHTTP2_FRAME_SIZE_ERROR],
    ["a stream nobody has opened", [good(3)], NGHTTP2_PROTOCOL_ERROR],
    ["a stream of the peer", [good(2)], NGHTTP2_PROTOCOL_ERROR],
    ["data of no stream", [frame(T.data, 0, 0, "x")], NGHTTP2_PROTOCOL_ERROR],
    ["a push", [frame(T.push, 4, 1, "\0\0\0\x02\x88")], NGHTTP2_PROTOCOL_ERROR],
    [
      "an interrupted block",
      [frame(T.headers, 0, 1, "\x88"), frame(T.ping, 0, 0, "12345678")],
      NGHTTP2_PROTOCOL_ERROR,
    ],
    ["a block without a beginning", [frame(T.continuation, 4, 1, "\x88")], NGHTTP2_PROTOCOL_ERROR],
    [
      "an endless block",
      [frame(T.headers, 0, 1), ...Array(50).fill(frame(T.continuation, 0, 1))],
      NGHTTP2_PROTOCOL_ERROR,
    ],
    ["headers that make no sense", [frame(T.headers, 4, 1, "\xff")], NGHTTP2_COMPRESSION_ERROR],
    ["padding longer than the frame", [frame(T.headers, 4 | 8, 1, "\x09\x88")], NGHTTP2_PROTOCOL_ERROR],
    ["a ping of seven bytes", [frame(T.ping, 0, 0, "1234567")], NGHTTP2_FRAME_SIZE_ERROR],
    ["settings of five bytes", [frame(T.settings, 0, 0, "12345")], NGHTTP2_FRAME_SIZE_ERROR],
    ["a reset of three bytes", [frame(T.reset, 0, 1, "123")], NGHTTP2_FRAME_SIZE_ERROR],
    ["a window that grows by nothing", [window(0, 0)], NGHTTP2_PROTOCOL_ERROR],
    ["a window that overflows", [window(0, 2 ** 31 - 1)], constants.NGHTTP2_FLOW_CONTROL_ERROR],
    ["a flood of pings", Array(2_000).fill(frame(T.ping, 0, 0, "12345678")), NGHTTP2_PROTOCOL_ERROR],
  ])("%s", async (_what, frames, code) => {
    const { end } = await arrived();
    peer.send(...frames);
    expect(await goAwayCode()).toBe(code);
    await peer.closed();
    expect(await end).toMatchObject({ error: { code: Code.unavailable } });
  });
});

describe("what breaks the protocol on one stream ends that stream", () => {
  test.each<[string, Buffer[]]>([
    ["data before headers", [frame(T.data, 0, 1, "x")]],
    ["headers without a status", [frame(T.headers, 4, 1, "\x00\x01a\x011")]],
    ["a name that is none", [frame(T.headers, 4, 1, "\x88\x00\x01A\x011")]],
    ["an end without an answer", [frame(T.headers, 5, 1, "\x08\x03103")]],
    ["a second answer", [good(1), good(1)]],
    ["trailers that do not end it", [good(1), frame(T.headers, 4, 1, "\x00\x01a\x011")]],
    ["a window that overflows", [frame(T.window, 0, 1, uint32(2 ** 31 - 1))]],
  ])("%s", async (_what, frames) => {
    const first = await arrived();
    peer.send(...frames);
    expect(await first.end).toMatchObject({ error: { code: Code.internal } });
    const second = await arrived(3);
    peer.send(good(3), trailers(3));
    expect((await second.end).error).toBeUndefined();
    expect(peer.sockets).toHaveLength(1);
  });
});

describe("the connection", () => {
  test("answers pings and settings", async () => {
    await arrived();
    peer.send(frame(T.ping, 0, 0, "12345678"));
    expect(await peer.frame(({ type }) => type === T.ping)).toMatchObject({
      flags: 1,
      payload: Buffer.from("12345678"),
    });
    await peer.frame(({ type, flags }) => type === T.settings && flags === 1);
  });

  test("carries no more streams than the peer takes; another one carries the rest", async () => {
    await arrived();
    peer.send(
      frame(T.settings, 0, 0, Buffer.concat([Buffer.of(0, 3), uint32(1)])),
      frame(T.ping, 0, 0, "12345678"),
    );
    await peer.frame(({ type }) => type === T.ping);
    start();
    await peer.frame(({ type, id }) => type === T.headers && id === 1 && peer.sockets.length === 2);
    expect(peer.sockets).toHaveLength(2);
  });

  test("on which the peer goes away ends its open calls first; calls the peer has not seen go elsewhere", async () => {
    const first = await arrived();
    const second = await arrived(3);
    peer.send(frame(T.goAway, 0, 0, uint32(1, 0)));
    await peer.frame(({ type, id }) => type === T.headers && id === 1 && peer.sockets.length === 2);
    peer.send(frame(T.headers, 5, 1, "\x88\x00\x0bgrpc-status\x010"));
    expect((await second.end).error).toBeUndefined();
    peer.sockets[0]!.write(Buffer.concat([good(1), trailers(1)]));
    expect((await first.end).error).toBeUndefined();
    await peer.closed();
  });

  test("tells the peer when a call is given up, and goes on with others", async () => {
    const { call, end } = await arrived();
    call.cancel();
    expect(await end).toMatchObject({ error: { code: Code.cancelled } });
    const reset = await peer.frame(({ type }) => type === T.reset);
    expect(reset.payload).toEqual(uint32(constants.NGHTTP2_CANCEL));
    // What was on its way is of no interest, but counts for the headers to come.
    peer.send(frame(T.headers, 4, 1, "\x88\x40\x01a\x011"), frame(T.data, 0, 1, MESSAGE));
    const second = await arrived(3);
    peer.send(frame(T.headers, 4, 3, "\x88\xbe"), trailers(3));
    await second.end;
    expect(second.metadata).toEqual({ ":status": 200, a: "1" });
  });

  test("on which two calls in a row are given up, and nothing is heard, takes no more; the peer is not asked", async () => {
    const patient = await arrived();
    await peer.frame(({ type, flags }) => type === T.settings && flags === 1); // all it says has been heard
    (await arrived(3)).call.cancel();
    (await arrived(5)).call.cancel();
    start();
    await peer.frame(({ type, id }) => type === T.headers && id === 1 && peer.sockets.length === 2);
    peer.sockets[0]!.write(Buffer.concat([good(1), trailers(1)]));
    expect((await patient.end).error).toBeUndefined();
    expect(peer.received.filter(({ type }) => type === T.ping)).toEqual([]);
  });

  test("is closed when nobody has needed it for a while", async () => {
    pool = new Pool(peer.url, { idleTimeoutMs: 10 });
    const { end } = await arrived();
    peer.send(good(1), trailers(1));
    await end;
    expect(await goAwayCode()).toBe(constants.NGHTTP2_NO_ERROR);
    await peer.closed();
  });

  const unavailable = { error: { code: Code.unavailable } };

  test("whose peer does not answer pings is given up", async () => {
    pool = new Pool(peer.url, { pingIntervalMs: 20 });
    expect(await (await arrived()).end).toMatchObject(unavailable);
  });

  test("is not pinged within five minutes: servers may end connections that ping more often", async () => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    await arrived();
    vi.advanceTimersByTime(300_000);
    await arrived(3);
    expect(peer.received.filter(({ type }) => type === T.ping)).toEqual([]);
    vi.advanceTimersByTime(60_000);
    await peer.frame(({ type }) => type === T.ping);
  });

  test("to a peer that speaks something else is given up", async () => {
    const { end } = await arrived();
    peer.sockets[0]!.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    expect(await end).toMatchObject(unavailable);
  });

  const refused: [string, PoolOptions, () => Promise<void> | void][] = [
    ["after the pool is closed", {}, () => pool.close()],
    ["when nobody listens", {}, () => peer.stop()],
  ];
  test.each(refused)("is not made %s", async (_when, options, before) => {
    pool = new Pool(peer.url, options);
    await before();
    expect(await start().end).toMatchObject(unavailable);
  });
});

test("headers larger than a frame are cut; what they say arrives", async () => {
  start({ metadata: { "x-long": "y".repeat(20_000), authorization: "Bearer t" } });
  const last = await peer.frame(({ type, flags }) => type === T.continuation && flags === 4);
  const parts = peer.received.filter(
    ({ type, id }) => id === 1 && (type === T.headers || type === T.continuation),
  );
  expect(parts.map(({ payload }) => payload.length)).toEqual([16_384, last.payload.length]);
  const block = Buffer.concat(parts.map(({ payload }) => payload)).toString("latin1");
  expect(block).toContain(`x-long\x7f${String.fromCharCode(0xa1, 0x9b, 0x01)}${"y".repeat(20_000)}`);
  // Index 23, never to be put into a table.
  expect(block).toContain("\x1f\x08\x08Bearer t");
});
