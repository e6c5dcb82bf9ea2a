/** Which connection a call takes, and when one is given up. */
import http2, { type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Code, type ConnectError, createClient } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";
import { freePort } from "#local/free-port.ts";
import { answer, bare, cleanUp, clientOf, endAll, grpcJs, ok, reply } from "./grpc/testdata/health-peers.ts";
import { grpcTransport } from "./grpc/transport.ts";
import { Http2Sessions } from "./http2-sessions.ts";

afterEach(endAll);

test("nobody listening is UNAVAILABLE", async () => {
  await expect(clientOf(1).check({})).rejects.toMatchObject({ code: Code.Unavailable });
});

test("a call that the server refused to look at is sent once more, and only once", async () => {
  const refuse = (stream: ServerHttp2Stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  const second = await bare((stream, count) => (count === 1 ? refuse(stream) : ok(stream)));
  expect((await clientOf(second.port).check({})).status).toBe(Status.SERVING);
  const never = await bare(refuse);
  await expect(clientOf(never.port).check({})).rejects.toMatchObject({ code: Code.Unavailable });
  expect(never.seen()).toBe(2);
});

test("a call that the server may have processed is not sent again", async () => {
  const server = await bare((stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  await expect(clientOf(server.port).check({})).rejects.toMatchObject({ code: Code.Internal });
  expect(server.seen()).toBe(1);
});

test("after GOAWAY calls in flight finish, and new ones take a new connection", async () => {
  const held: ServerHttp2Stream[] = [];
  const server = await bare((stream, count) => (count === 1 ? held.push(stream) : ok(stream)));
  const client = clientOf(server.port);
  const first = client.check({});
  await expect.poll(() => held.length).toBe(1);
  server.sessions[0]?.close(); // sends GOAWAY
  await expect
    .poll(async () => {
      await client.check({});
      return server.sessions.length;
    })
    .toBe(2);
  ok(held[0] as ServerHttp2Stream);
  expect((await first).status).toBe(Status.SERVING);
});

test("a server that comes back is found again", async () => {
  const first = await grpcJs((_, done) => done(null, Status.SERVING), await freePort());
  const client = clientOf(first.port);
  await client.check({});
  first.server.forceShutdown();
  await expect(client.check({})).rejects.toMatchObject({ code: Code.Unavailable });
  await grpcJs((_, done) => done(null, Status.SERVING), first.port);
  await expect
    .poll(() =>
      client.check({}).then(
        ({ status }) => status,
        () => undefined,
      ),
    )
    .toBe(Status.SERVING);
});

test("a peer that answers no pings is given up", async () => {
  // Takes connections and bytes and says nothing.
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  const { port } = silent.address() as AddressInfo;
  const sessions = new Http2Sessions(`http://127.0.0.1:${port}`, { pingIntervalMs: 20 });
  cleanUp.push(
    () => silent.close(),
    () => sessions.destroy(),
  );
  const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes: 1_000 });
  await expect(createClient(Health, transport).check({})).rejects.toMatchObject({ code: Code.Unavailable });
});

test("a peer that vanished without a word is given up after some calls that waited for it", async () => {
  const { port: far } = await bare((stream) => ok(stream));
  const near: Socket[] = [];
  // Half open: of a connection that is `vanished`, nothing passes any more, and nobody is told.
  const vanished = new Set<Socket>();
  const between = createServer((caller) => {
    near.push(caller);
    const callee = connect(far, "127.0.0.1");
    caller.on("error", () => {}).on("close", () => callee.destroy());
    caller.on("data", (chunk) => vanished.has(caller) || callee.write(chunk));
    callee.on("error", () => {}).on("data", (chunk) => vanished.has(caller) || caller.write(chunk));
  });
  await new Promise<void>((done) => between.listen(0, "127.0.0.1", done));
  const { port } = between.address() as AddressInfo;
  const client = clientOf(port);
  cleanUp.push(() => between.close());
  await client.check({});
  for (const socket of near) vanished.add(socket);
  const answer = () =>
    client.check({}, { timeoutMs: 1_000 }).then(
      ({ status }) => status,
      (error: ConnectError) => error.code,
    );
  expect(await answer()).toBe(Code.DeadlineExceeded);
  await expect.poll(answer).toBe(Status.SERVING);
});

test("calls given up ask nothing of a peer that is slow, and leave its other calls alone", async () => {
  const open: ServerHttp2Stream[] = [];
  const { port, sessions } = await bare((stream) => open.push(stream));
  const client = clientOf(port);
  const slow = client.check({});
  await expect.poll(() => open.length).toBe(1);
  let pings = 0;
  for (const session of sessions) session.on("ping", () => pings++);
  for (let count = 0; count < 4; count++)
    await expect(client.check({}, { timeoutMs: 50 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  ok(open[0]!);
  expect((await slow).status).toBe(Status.SERVING);
  expect(pings).toBe(0);
});

test("streams share the connection of unary calls", async () => {
  const server = await bare((stream, count) =>
    count === 1 ? ok(stream) : answer(stream, reply, { "grpc-status": "0" }),
  );
  const client = clientOf(server.port);
  await client.check({});
  const statuses: Status[] = [];
  for await (const { status } of client.watch({})) statuses.push(status);
  expect(statuses).toEqual([Status.SERVING]);
  expect(server.sessions).toHaveLength(1);
});
