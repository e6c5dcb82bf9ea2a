/**
 * The contract's policy as a real Envoy enforces it: the generated sidecars of mesh/codegen/weft/testdata/in/library/calls
 * with mutual TLS, around a server that counts.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { compileTestdata, generate } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { makeAuthority } from "./certificates.ts";
import { findEnvoy } from "./find-envoy.ts";
import { type CountingServer, call, startCountingServer } from "./grpc-peers.ts";
import { type Sidecar, startSidecar } from "./sidecar.ts";

const envoy = findEnvoy();
const [OK, DEADLINE_EXCEEDED, PERMISSION_DENIED, UNAVAILABLE] = [0, 4, 7, 14];
const service = "/library.calls.v1.CatalogueService";

let folder: string;
let servers: CountingServer[];
let callees: Sidecar[];
let edge: Sidecar;
let lending: Sidecar;
let tlsOf: (name: string) => string;
const folders = new Map<string, string>();

beforeAll(async () => {
  if (!envoy) return;
  folder = mkdtempSync(join(tmpdir(), "weft-envoy-"));
  const make = makeAuthority(folder);
  tlsOf = (name) => {
    if (!folders.has(name)) folders.set(name, make(name));
    return folders.get(name)!;
  };
  const response = generate(compileTestdata(), "library/calls/", "target=envoy,namespace=books");
  const files = new Map(response.file.map(({ name, content }) => [name, content]));
  const start = (name: string, processPort: number, replicas: number[]) =>
    startSidecar({ envoy, folder, files, name, tls: tlsOf(name), processPort, replicas });
  servers = [await startCountingServer(), await startCountingServer()];
  callees = await Promise.all(servers.map(({ port }) => start("catalogue", port, [])));
  const replicas = callees.map(({ ports }) => ports.get("inbound")!);
  edge = await start("edge", 1, replicas);
  lending = await start("lending", 1, replicas);
}, 60_000);

beforeEach(() => {
  for (const server of servers ?? []) {
    server.calls.clear();
    server.answer = OK;
  }
});

afterAll(async () => {
  if (!envoy) return;
  await Promise.all([edge, lending, ...callees].map((sidecar) => sidecar?.stop()));
  for (const server of servers) server.stop();
  rmSync(folder, { recursive: true });
});

const answerAll = (answer: CountingServer["answer"]) => {
  for (const server of servers) server.answer = answer;
};
const seen = (path: string) => servers.reduce((sum, { calls }) => sum + (calls.get(path) ?? 0), 0);
const through = (sidecar: Sidecar, method: string) =>
  call(`http://127.0.0.1:${sidecar.ports.get("to-catalogue")}`, `${service}/${method}`);
/** Around the caller's own sidecar, straight to the callee's, with a certificate of somebody's choice. */
const straight = (as: string | undefined, method: string) => {
  const file = (name: string) => readFileSync(join(tlsOf(as ?? "edge"), name));
  const own = as ? { cert: file("tls.crt"), key: file("tls.key") } : {};
  const tls = { ca: file("ca.crt"), ...own };
  return call(`https://127.0.0.1:${callees[0]!.ports.get("inbound")}`, `${service}/${method}`, tls);
};

const envoyTest = test.skipIf(!envoy);

envoyTest("a caller on the list passes, through both sidecars", async () => {
  expect(await through(edge, "AddBook")).toBe(OK);
  expect(await through(lending, "CheckShelf")).toBe(OK);
});

envoyTest(
  "a caller that is not on the list gets PERMISSION_DENIED, and the process hears nothing",
  async () => {
    expect(await straight("lending", "AddBook")).toBe(PERMISSION_DENIED);
    expect(await straight("stranger", "CheckShelf")).toBe(PERMISSION_DENIED);
    expect(seen(`${service}/AddBook`) + seen(`${service}/CheckShelf`)).toBe(0);
    expect(await straight("lending", "CheckShelf")).toBe(OK);
  },
);

envoyTest("a method of no contract is refused", async () => {
  expect(await straight("edge", "NoSuchMethod")).toBe(PERMISSION_DENIED);
});

envoyTest("without a certificate there is no handshake", async () => {
  await expect(straight(undefined, "AddBook")).rejects.toThrow();
});

envoyTest("an idempotent method is tried as often as its policy says, another once", async () => {
  answerAll(UNAVAILABLE);
  expect(await through(lending, "CheckShelf")).toBe(UNAVAILABLE);
  expect(seen(`${service}/CheckShelf`)).toBe(4);
  expect(await through(edge, "AddBook")).toBe(UNAVAILABLE);
  expect(seen(`${service}/AddBook`)).toBe(1);
});

envoyTest("a code that is not on the list is not retried", async () => {
  answerAll(9);
  expect(await through(lending, "CheckShelf")).toBe(9);
  expect(seen(`${service}/CheckShelf`)).toBe(1);
});

envoyTest("a silent callee is given up at the method's time", async () => {
  answerAll("silent");
  const began = performance.now();
  const status = await through(edge, "AddBook");
  const took = performance.now() - began;
  expect([DEADLINE_EXCEEDED, UNAVAILABLE]).toContain(status);
  expect(took).toBeGreaterThan(1_400);
  expect(took).toBeLessThan(2_900);
});

envoyTest(
  "a replica that fails is ejected, the other one goes on",
  async () => {
    servers[0]!.answer = UNAVAILABLE;
    const ejected = () => edge.stat("cluster\\.catalogue\\.outlier_detection.ejections_active");
    // The volume of a window (5 calls/s over 10 s) must come to the replica within one window.
    while ((await ejected()) !== 1)
      await Promise.all(Array.from({ length: 10 }, () => through(edge, "AddBook")));
    const before = servers[0]!.calls.get(`${service}/AddBook`);
    const after = await Promise.all(Array.from({ length: 10 }, () => through(edge, "AddBook")));
    expect(after).toEqual(Array(10).fill(OK));
    expect(servers[0]!.calls.get(`${service}/AddBook`)).toBe(before);
  },
  60_000,
);
