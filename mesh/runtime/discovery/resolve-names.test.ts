/** Replicas by DNS: a server of the test's own, and gRPC servers on several addresses of loopback. */
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { createClient } from "@connectrpc/connect";
import type { FastifyInstance } from "fastify";
import { expect, onTestFinished, test, vi } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Status } from "#gen/grpc/health/v1/health_pb.ts";
import { grpcTransport } from "../rpc/grpc/transport.ts";
import { Http2Sessions } from "../rpc/http2-sessions.ts";
import { createRpcServer } from "../rpc/rpc-server.ts";
import { replicaStreams } from "./replica-streams.ts";
import { type LookUp, resolveNames } from "./resolve-names.ts";
import { type DnsServer, startDnsServer } from "./testdata/dns-server.ts";
import { Upstreams } from "./upstreams.ts";

const host = "library.books.test";

async function dnsServer(addresses: string[]): Promise<DnsServer> {
  const server = await startDnsServer();
  onTestFinished(() => server.stop());
  server.records.set(host, addresses);
  return server;
}

/** Discovery of "library" that asks `lookUp` every 20 ms, and what it warns of. */
function discovery(lookUp: LookUp, port: number, seeds = new Map([["library", `http://${host}:${port}`]])) {
  const open = (_service: string, address: string) => new Http2Sessions(address);
  const upstreams = new Upstreams<Http2Sessions>({ seeds, open, openProbe: open });
  const warnings: unknown[] = [];
  const warn = (entry: unknown) => void warnings.push(entry);
  const names = resolveNames(seeds, upstreams, { warn }, { lookUp, everyMs: 20 });
  onTestFinished(() => {
    names.stop();
    upstreams.destroy();
  });
  const addresses = () =>
    upstreams
      .to("library")
      .endpoints.map(({ address }) => address)
      .sort();
  const found = (...expected: string[]) =>
    vi.waitFor(() => expect(addresses()).toEqual(expected), { timeout: 60_000 });
  const client = createClient(
    Health,
    grpcTransport({
      sessions: replicaStreams(upstreams.to("library")),
      interceptors: [],
      readMaxBytes: 10_000,
    }),
  );
  return { names, warnings, addresses, found, call: () => client.check({}, { timeoutMs: 60_000 }) };
}

/** A port that is free on all of these addresses. */
async function portOn(addresses: readonly string[]): Promise<number> {
  for (;;) {
    const servers: Server[] = [];
    let port = 0;
    try {
      for (const address of addresses) {
        const server = createServer().listen(port, address);
        servers.push(server);
        await once(server, "listening");
        port = (server.address() as { port: number }).port;
      }
      return port;
    } catch {
      // Somebody has it on one of the others: another one.
    } finally {
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    }
  }
}

/** A replica on each address, which counts its calls. */
async function replicas(...addresses: string[]) {
  const port = await portOn(addresses);
  const calls = new Map(addresses.map((address) => [address, 0]));
  const servers = new Map<string, FastifyInstance>();
  for (const address of addresses) {
    const check = () => {
      calls.set(address, calls.get(address)! + 1);
      return { status: Status.SERVING };
    };
    const server = await createRpcServer({
      groups: [{ routes: (router) => router.service(Health, { check }), interceptors: [] }],
      readMaxBytes: 10_000,
      compressMinBytes: 10_000,
    });
    await server.listen({ host: address, port });
    onTestFinished(() => server.close());
    servers.set(address, server);
  }
  return { port, calls, servers };
}

test("calls go to every address that a name has; one that comes gets calls, and one that goes gets none", async () => {
  const { port, calls } = await replicas("127.0.0.1", "127.0.0.2", "127.0.0.3");
  const at = (last: number) => `http://127.0.0.${last}:${port}`;
  const dns = await dnsServer(["127.0.0.1", "127.0.0.2"]);
  const { found, call } = discovery(dns.lookUp, port);
  await found(at(1), at(2));
  for (let i = 0; i < 40; i++) await call();
  expect([...calls.values()]).toEqual([expect.any(Number), expect.any(Number), 0]);
  expect(Math.min(calls.get("127.0.0.1")!, calls.get("127.0.0.2")!)).toBeGreaterThan(0);

  dns.records.set(host, ["127.0.0.2", "127.0.0.3"]);
  await found(at(2), at(3));
  const before = calls.get("127.0.0.1");
  for (let i = 0; i < 40; i++) await call();
  expect(calls.get("127.0.0.1")).toBe(before);
  expect(calls.get("127.0.0.3")).toBeGreaterThan(0);
});

test("a replica whose address leaves finishes the calls it has", async () => {
  const dns = await dnsServer(["127.0.0.1", "127.0.0.2"]);
  const { port, calls, servers } = await replicas("127.0.0.1", "127.0.0.2");
  const { found, call } = discovery(dns.lookUp, port);
  await found(`http://127.0.0.1:${port}`, `http://127.0.0.2:${port}`);
  // Under way while the address leaves: none of them fails.
  const under = Array.from({ length: 50 }, call);
  dns.records.set(host, ["127.0.0.2", "127.0.0.3"]);
  await found(`http://127.0.0.2:${port}`, `http://127.0.0.3:${port}`);
  await Promise.all(under);
  expect([...calls.values()].reduce((sum, count) => sum + count)).toBe(50);
  expect(servers.size).toBe(2);
});

test("IPv6 addresses are replicas, too", async () => {
  const dns = await dnsServer(["10.0.0.1", "fd00::12", "fd00:0:0:1:2:3:4:5"]);
  const { found } = discovery(dns.lookUp, 8080);
  await found("http://10.0.0.1:8080", "http://[fd00::12]:8080", "http://[fd00::1:2:3:4:5]:8080");
});

test("a name with one address stays a name, for whatever balances behind it", async () => {
  const dns = await dnsServer(["10.0.0.1", "10.0.0.2"]);
  const { found } = discovery(dns.lookUp, 8080);
  await found("http://10.0.0.1:8080", "http://10.0.0.2:8080");
  dns.records.set(host, ["10.0.0.1"]);
  await found(`http://${host}:8080`);
});

test.each<[string, (dns: DnsServer) => unknown]>([
  ["has no address any more", ({ records }) => records.set(host, [])],
  ["is unknown", ({ records }) => records.delete(host)],
  ["cannot be looked up: the resolver fails", (dns) => Object.assign(dns, { mode: "failure" })],
  ["cannot be looked up: the resolver does not answer", (dns) => Object.assign(dns, { mode: "silent" })],
])("while a name %s, those known last get the calls; that is said once", async (_what, lose) => {
  const dns = await dnsServer(["10.0.0.1", "10.0.0.2"]);
  const { found, addresses, warnings } = discovery(dns.lookUp, 8080);
  await found("http://10.0.0.1:8080", "http://10.0.0.2:8080");
  lose(dns);
  await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 60_000 });
  const asked = dns.questions;
  await vi.waitFor(() => expect(dns.questions).toBeGreaterThan(asked + 4), { timeout: 60_000 });
  expect(addresses()).toEqual(["http://10.0.0.1:8080", "http://10.0.0.2:8080"]);
  expect(warnings).toEqual([{ upstream: "library", problem: expect.any(String) }]);

  dns.mode = "well";
  dns.records.set(host, ["10.0.0.2", "10.0.0.3"]);
  await found("http://10.0.0.2:8080", "http://10.0.0.3:8080");
});

test("until the resolver answers for the first time, calls go to the name", async () => {
  const dns = await dnsServer(["10.0.0.1", "10.0.0.2"]);
  dns.mode = "silent";
  const { found, addresses, warnings } = discovery(dns.lookUp, 8080);
  await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 60_000 });
  expect(addresses()).toEqual([`http://${host}:8080`]);
  dns.mode = "well";
  await found("http://10.0.0.1:8080", "http://10.0.0.2:8080");
});

test("a resolver that does not answer is asked for one name at a time, and for none twice", async () => {
  const waiting: string[] = [];
  const seeds = new Map(["library", "reader", "archive"].map((name) => [name, `http://${name}.test:1`]));
  const never: LookUp = (name) => {
    waiting.push(name);
    return new Promise(() => {});
  };
  discovery(never, 1, seeds);
  await new Promise((resolve) => setTimeout(resolve, 100)); // five look-ups' time
  expect(waiting).toEqual(["library.test"]);
});

test("after the end nothing is found any more", async () => {
  const answer = Promise.withResolvers<{ address: string; family: number }[]>();
  const { names, addresses } = discovery(() => answer.promise, 8080);
  names.stop();
  answer.resolve([
    { address: "10.0.0.1", family: 4 },
    { address: "10.0.0.2", family: 4 },
  ]);
  await answer.promise;
  expect(addresses()).toEqual([`http://${host}:8080`]);
});

test("without another way the system's look-up is used, and an address is no name", async () => {
  const local = await lookup("localhost", { all: true });
  const found: [string, unknown][] = [];
  const seeds = new Map([
    ["library", "http://localhost:8080"],
    ["reader", "http://127.0.0.9:8080"],
    ["archive", "http://[::1]:8080"],
  ]);
  const upstreams = { found: (service: string, list: unknown) => void found.push([service, list]) };
  const names = resolveNames(seeds, upstreams, { warn() {} });
  onTestFinished(() => names.stop());
  await vi.waitFor(() => expect(found).toHaveLength(1), { timeout: 60_000 });
  const [service, list] = found[0]!;
  expect(service).toBe("library");
  expect(list).toHaveLength(local.length);
});
