/** What a served call leaves behind, and what of it does not change from call to call. */
import { once } from "node:events";
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { Health, HealthCheckRequestSchema } from "#gen/grpc/health/v1/health_pb.ts";
import { frame } from "./message.ts";
import { serveUnary } from "./serve-unary.ts";
import { unaryMethodsOf } from "./unary-methods.ts";

let onCall: (context: HandlerContext) => void = () => {};
let intercept: Interceptor = (next) => next;
const streams: ServerHttp2Stream[] = [];
const server = http2.createServer();
let session: ClientHttp2Session;

beforeAll(async () => {
  const methods = unaryMethodsOf((router) =>
    router.service(Health, {
      check: (_, context) => {
        onCall(context);
        return {};
      },
    }),
  );
  const take = serveUnary(methods, {
    interceptors: [(next) => (request) => intercept(next)(request)],
    readMaxBytes: 1_000,
    compressMinBytes: 1_000,
  });
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    streams.push(stream);
    take(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => {
  session.close();
  server.close();
});
afterEach(() => {
  onCall = () => {};
  intercept = (next) => next;
  vi.useRealTimers();
});

/** Makes a call. @returns the headers of its reply */
async function check(): Promise<http2.IncomingHttpHeaders> {
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.resume().end(frame(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema))));
  const [[headers], [trailers]] = await Promise.all([
    once(stream, "response"),
    once(stream, "trailers"),
    once(stream, "close"),
  ]);
  expect(trailers).toMatchObject({ "grpc-status": "0" });
  return headers;
}

test("each reply has the date of its own second", async () => {
  for (const now of ["2030-01-31T23:59:58.999Z", "2030-01-31T23:59:59.000Z", "2031-02-01T00:00:00.000Z"]) {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(now) });
    expect(await check()).toMatchObject({
      ":status": 200,
      "content-type": "application/grpc+proto",
      date: new Date(now).toUTCString(),
    });
  }
});

test("metadata of one reply is not in the next, which has the usual headers", async () => {
  onCall = ({ responseHeader }) => responseHeader.set("x-of-one", "1");
  expect((await check())["x-of-one"]).toBe("1");
  onCall = ({ responseHeader }) => responseHeader.set("x-of-another", "2");
  expect(await check()).not.toHaveProperty("x-of-one");
  onCall = () => {};
  expect(Object.keys(await check()).sort()).toEqual([":status", "content-type", "date"]);
});

test("a request that an interceptor has copied ends with its call, too", async () => {
  const signals: AbortSignal[] = [];
  intercept = (next) => (request) => {
    if (request.stream) return next(request);
    const copy = { ...request };
    signals.push(request.signal, copy.signal);
    return next(copy);
  };
  onCall = ({ signal }) => {
    expect(signal.aborted).toBe(false);
    signals.push(signal);
  };
  await check();
  expect(signals.map(({ aborted, reason }) => [aborted, String(reason)])).toEqual(
    Array(3).fill([true, "ConnectError: [canceled] the call is complete"]),
  );
});

test("a stream that has ended holds nothing of its call, however long it is kept", async () => {
  let ofCall: WeakRef<Headers> | undefined;
  onCall = ({ responseHeader }) => {
    ofCall = new WeakRef(responseHeader);
  };
  await check();
  const kept = streams.at(-1) as ServerHttp2Stream;
  if (!kept.closed) await once(kept, "close");
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc") as () => void;
  await expect
    .poll(
      async () => {
        await turn();
        collect();
        return ofCall?.deref();
      },
      { timeout: 20_000, interval: 20 },
    )
    .toBeUndefined();
  expect(streams).toContain(kept);
});
