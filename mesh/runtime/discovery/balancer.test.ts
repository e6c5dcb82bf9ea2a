/** Balancing, outliers and replicas that come and go, over real connections. */
import http2, { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { expect, onTestFinished, test } from "vitest";
import {
  Health,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import { freePort } from "#local/free-port.ts";
import { until } from "../../../test/system/runner-process.ts";
import { frame } from "../rpc/grpc/message.ts";
import { grpcTransport } from "../rpc/grpc/transport.ts";
import { Http2Sessions } from "../rpc/http2-sessions.ts";
import { Balancer } from "./balancer.ts";
import { isHealthy } from "./health-probe.ts";
import { replicaStreams } from "./replica-streams.ts";

const serving = frame(
  toBinary(HealthCheckResponseSchema, create(HealthCheckResponseSchema, { status: Status.SERVING })),
  false,
);

/** A replica whose calls (health probes are others) are answered by `answer`. */
interface FakeReplica {
  readonly address: string;
  calls: number;
  answer: (stream: ServerHttp2Stream) => void;
  well: boolean;
  kill(): void;
  drain(): void;
}

const ok = (stream: ServerHttp2Stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(serving);
};
const unavailable = (stream: ServerHttp2Stream) =>
  stream.respond(
    { ":status": 200, "content-type": "application/grpc+proto", "grpc-status": "14" },
    { endStream: true },
  );

async function replica(port = 0): Promise<FakeReplica> {
  const server: Http2Server = http2.createServer();
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    if (headers["x-call"] === undefined) return self.well ? ok(stream) : unavailable(stream);
    self.calls++;
    self.answer(stream);
  });
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const kill = () => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  onTestFinished(kill);
  const self: FakeReplica = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: 0,
    answer: ok,
    well: true,
    kill,
    drain: () => {
      server.close();
      for (const session of sessions) session.close();
    },
  };
  return self;
}

function upstreamOf(...addresses: string[]): {
  upstream: Balancer<Http2Sessions>;
  call: () => Promise<unknown>;
} {
  const upstream = new Balancer<Http2Sessions>("library", {
    open: (address) => new Http2Sessions(address),
    isHealthy: (address) => isHealthy(new Http2Sessions(address)),
  });
  onTestFinished(() => upstream.destroy());
  upstream.set(addresses.map((address) => ({ address })));
  const client: Client<typeof Health> = createClient(
    Health,
    grpcTransport({ sessions: replicaStreams(upstream), interceptors: [], readMaxBytes: 10_000 }),
  );
  return { upstream, call: () => client.check({}, { headers: { "x-call": "1" }, timeoutMs: 60_000 }) };
}

const repeat = async (times: number, call: () => Promise<unknown>) => {
  const results = [];
  for (let i = 0; i < times; i++) results.push(await call().catch((error: { code: Code }) => error.code));
  return results;
};
const ejected = ({ endpoints }: Balancer<Http2Sessions>) =>
  endpoints.filter((endpoint) => endpoint.isEjected).map(({ address }) => address);

test("calls go to all replicas, and to those with fewer calls in flight", async () => {
  const [a, b, c] = [await replica(), await replica(), await replica()];
  const { call } = upstreamOf(a.address, b.address, c.address);
  await repeat(60, call);
  for (const { calls } of [a, b, c]) expect(calls).toBeGreaterThan(5);

  const held: ServerHttp2Stream[] = [];
  const before = a.calls;
  const waiting: Promise<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    const isHeld = Promise.withResolvers<void>();
    a.answer = (stream) => {
      held.push(stream);
      isHeld.resolve();
    };
    const reply = call();
    waiting.push(reply);
    await Promise.race([reply, isHeld.promise]);
  }
  // Whoever hangs keeps what it has and gets next to nothing more.
  expect(a.calls - before).toBeLessThan(3);
  for (const stream of held) ok(stream);
  await Promise.all(waiting);
});

test("a replica that fails five times in a row is left out, and comes back when it is well", async () => {
  const [a, b] = [await replica(), await replica()];
  const { upstream, call } = upstreamOf(a.address, b.address);
  a.answer = unavailable;
  a.well = false;
  await repeat(40, call);
  expect(ejected(upstream)).toEqual([a.address]);
  const calls = a.calls;
  expect(await repeat(20, call)).not.toContain(Code.Unavailable);
  expect(a.calls).toBe(calls);

  a.answer = ok;
  a.well = true;
  await until("it is asked and taken back", () => ejected(upstream).length === 0);
  await repeat(20, call);
  expect(a.calls).toBeGreaterThan(calls);
});

test("when all replicas fail alike none is left out", async () => {
  const [a, b] = [await replica(), await replica()];
  const { upstream, call } = upstreamOf(a.address, b.address);
  a.answer = unavailable;
  b.answer = unavailable;
  await repeat(40, call);
  expect(ejected(upstream)).toEqual([]);
});

test("answers that say nothing of the replica's health leave it in", async () => {
  const [a, b] = [await replica(), await replica()];
  const { upstream, call } = upstreamOf(a.address, b.address);
  a.answer = (stream) =>
    stream.respond(
      { ":status": 200, "content-type": "application/grpc+proto", "grpc-status": "5" },
      { endStream: true },
    );
  await repeat(40, call);
  expect(ejected(upstream)).toEqual([]);
});

test("a call that nobody took, since nobody listens there, goes to another replica", async () => {
  const alive = await replica();
  const { upstream, call } = upstreamOf(`http://127.0.0.1:${await freePort()}`, alive.address);
  expect(await repeat(20, call)).not.toContain(Code.Unavailable);
  expect(alive.calls).toBe(20);
  expect(ejected(upstream)).toHaveLength(1);
});

test("a replica that is killed loses the calls it had, and no other", async () => {
  const [a, b] = [await replica(), await replica()];
  const { call } = upstreamOf(a.address, b.address);
  await repeat(10, call);
  a.answer = () => {};
  const before = a.calls + b.calls;
  const ofA = a.calls;
  const waiting = Array.from({ length: 20 }, () =>
    call().then(
      () => "ok",
      ({ code }) => code as Code,
    ),
  );
  await until("the calls are there", () => a.calls + b.calls - before === 20);
  const lost = a.calls - ofA;
  a.kill();
  const results = await Promise.all(waiting); // from then on the caller knows
  expect(results.filter((result) => result === Code.Unavailable)).toHaveLength(lost);
  expect(lost).toBeGreaterThan(0);
  expect(await repeat(20, call)).not.toContain(Code.Unavailable);
});

test("a replica that drains loses no call", async () => {
  const [a, b] = [await replica(), await replica()];
  const { upstream, call } = upstreamOf(a.address, b.address);
  const slowly = (stream: ServerHttp2Stream) => void setTimeout(() => ok(stream), 20);
  a.answer = slowly;
  b.answer = slowly;
  const results: Promise<unknown>[] = [];
  for (let i = 0; i < 100; i++) {
    results.push(call());
    if (i === 50) {
      upstream.set([{ address: b.address }]);
      a.drain();
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(results);
  expect(a.calls + b.calls).toBe(100);
});

test("a replica that is added gets calls", async () => {
  const [a, b] = [await replica(), await replica()];
  const { upstream, call } = upstreamOf(a.address);
  await repeat(5, call);
  upstream.set([{ address: a.address }, { address: b.address }]);
  await repeat(60, call);
  expect(b.calls).toBeGreaterThan(5);
});
