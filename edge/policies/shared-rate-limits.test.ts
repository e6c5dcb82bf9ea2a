/** Limits that several edges share, over a real nats-server that one of them may lose. */
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { findNatsServer } from "#local/find-nats-server.ts";
import { freePort } from "#local/free-port.ts";
import { type Nats, natsPassword, startNats } from "#local/nats.ts";
import { natsUsers } from "#local/nats-users.ts";
import { connectBus } from "#mesh/runtime/events/bus.ts";
import { RATE_LIMIT_BUCKET } from "#mesh/runtime/events/bus-rights.ts";
import { SharedRateLimits } from "./shared-rate-limits.ts";

const log = pino({ level: "silent" });
// Least rights, as the local runner gives them.
const users = natsUsers([
  {
    service: "edge",
    password: natsPassword(),
    publishes: [],
    streams: [],
    buckets: [RATE_LIMIT_BUCKET],
    consumes: [],
  },
]);
const folder = mkdtempSync(join(tmpdir(), "weft-limits-"));
let server: Nats | undefined;
let start: () => Promise<void>;
const open: SharedRateLimits[] = [];

beforeAll(async () => {
  const { binary } = await findNatsServer({ cacheDir: ".weft/bin", say: () => {} });
  const port = await freePort();
  start = async () => {
    const accounts = [{ name: "WEFT", users }];
    server = await startNats({ binary, dataDir: folder, port, accounts, log: () => {} });
  };
  await start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((limits) => limits.close()));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function replica(): Promise<SharedRateLimits> {
  const bus = await connectBus({ url: server!.urlFor(users[0]!), service: "edge", log });
  await bus.connected();
  // A busy machine must not make a replica count alone where it is asked what replicas count together.
  const limits = new SharedRateLimits(bus, log, 1_000, 30_000);
  open.push(limits);
  await shares(limits);
  return limits;
}

/** Returns when requests of this replica are counted with the others'. */
const shares = (limits: SharedRateLimits) =>
  expect
    .poll(async () => (await limits.take(slow(1_000), "anybody", Date.now())) && limits.shares)
    .toBe(true);
const slow = (burst: number) => ({ intervalMs: 3_600_000, burst });
const allowed = (decisions: { allowed: boolean }[]) => decisions.filter((one) => one.allowed).length;

test("what one replica counts, another knows", async () => {
  const [a, b] = [await replica(), await replica()];
  const decisions = [];
  for (let i = 0; i < 6; i++) decisions.push(await (i % 2 === 0 ? a : b).take(slow(4), "ann", Date.now()));
  expect(decisions.map((one) => one.allowed)).toEqual([true, true, true, true, false, false]);
  expect(decisions.map((one) => one.remaining)).toEqual([3, 2, 1, 0, 0, 0]);
  expect((await b.take(slow(4), "bob", Date.now())).allowed).toBe(true);
});

test("requests at the same moment are each counted whole", async () => {
  const replicas = [await replica(), await replica(), await replica()];
  let passed = 0;
  for (let round = 0; round < 20; round++) {
    const now = Date.now();
    passed += allowed(await Promise.all(replicas.map((one) => one.take(slow(25), "everybody", now))));
  }
  expect(passed).toBe(25);
});

test("who is refused costs the server nothing", async () => {
  const limits = await replica();
  await limits.take(slow(1), "greedy", Date.now());
  const refused = limits.take(slow(1), "greedy", Date.now());
  expect(refused).not.toBeInstanceOf(Promise);
  expect(refused).toMatchObject({ allowed: false });
});

test("a request does not wait longer for the others than it may", async () => {
  const line = await lineTo(server!.port);
  const url = server!.urlFor(users[0]!).replace(`:${server!.port}`, `:${line.port}`);
  const bus = await connectBus({ url, service: "edge", log });
  await bus.connected();
  line.fallSilent();
  const limits = new SharedRateLimits(bus, log, 1_000, 20);
  open.push(limits);
  expect((await limits.take(slow(1), "eve", Date.now())).allowed).toBe(true);
  expect((await limits.take(slow(1), "eve", Date.now())).allowed).toBe(false);
  expect(limits.shares).toBe(false);
  line.cut();
});

/** A line to a port of this machine, on which nothing passes any more once it has fallen silent. */
async function lineTo(port: number) {
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    sockets.push(near, far);
    near.on("error", () => far.destroy()).pipe(far);
    far.on("error", () => near.destroy()).pipe(near);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  return {
    port: (relay.address() as AddressInfo).port,
    fallSilent() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    cut() {
      relay.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("without NATS each replica goes on with its own limits, and shares again later", async () => {
  const [a, b] = [await replica(), await replica()];
  process.kill(server!.pid, "SIGKILL");
  await server!.exited;
  const take = async (limits: SharedRateLimits) => (await limits.take(slow(2), "carl", Date.now())).allowed;
  expect([await take(a), await take(a), await take(a)]).toEqual([true, true, false]);
  expect([await take(b), await take(b), await take(b)]).toEqual([true, true, false]);
  await start();
  await shares(a);
});
