/** The edge's connections to services: by mutual TLS, to whom they should go, and renewed without losing a call. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http2, { type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Identities, openIdentities } from "#local/identities.ts";
import { loadWorkload } from "#mesh/runtime/identity/workload.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { Code, type StatusError } from "../transcode/status.ts";
import { upstreamCalls } from "./calls.ts";
import type { Pool } from "./pool.ts";
import { poolTo } from "./pool-to.ts";

const folder = mkdtempSync(join(tmpdir(), "weft-pool-"));
const hour = 60 * 60 * 1_000;
let clock = Date.now() - 13 * hour;
let identities: Identities;
beforeAll(async () => {
  identities = await openIdentities(folder, "weft.local", { now: () => clock });
  for (const name of ["edge", "library", "archive"]) await identities.issue(name);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A server with the certificate of `name`; `seen` are the serial numbers of its callers' certificates. */
async function serverOf(name: string) {
  const { certificate, key } = identities.filesOf(name);
  const [cert, ca] = [readFileSync(certificate), readFileSync(identities.bundle)];
  const server = http2.createSecureServer({ cert, ca, key: readFileSync(key), requestCert: true });
  const seen: string[] = [];
  const held: ServerHttp2Stream[] = [];
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    seen.push((stream.session!.socket as TLSSocket).getPeerX509Certificate()!.serialNumber);
    stream.on("error", () => {}).resume();
    if (headers["x-hold"]) held.push(stream);
    else answer(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, held };
}

function answer(stream: ServerHttp2Stream): void {
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "grpc-status": "0" },
    { endStream: true },
  );
}

function edgeTo(callee: string, url: string) {
  const { certificate, key } = identities.filesOf("edge");
  const log = createLogger("edge", "silent");
  const settings = {
    mesh: "none" as const,
    identityCertFile: certificate,
    identityKeyFile: key,
    trustBundleFile: identities.bundle,
    trustDomain: "weft.local",
    namespace: "default",
  };
  const workload = loadWorkload("edge", settings, log);
  const pool = poolTo(callee, url, workload, log);
  onTestFinished(() => {
    pool.destroy();
    workload.credentials?.close();
  });
  return { pool, renew: () => workload.credentials!.reload() };
}

const call = (pool: Pool, headers = {}) =>
  new Promise<StatusError | undefined>((resolve) => {
    const started = upstreamCalls(pool)("/p.S/M", headers, undefined, {
      onHeaders() {},
      onData() {},
      onEnd: ({ error }) => resolve(error),
    });
    started.end(Buffer.alloc(5));
  });

test("a service is called by TLS with the edge's certificate, whatever its address says", async () => {
  const { url, seen } = await serverOf("library");
  expect(await call(edgeTo("library", url).pool)).toBeUndefined();
  expect(seen).toHaveLength(1);
});

test("a server with another service's certificate gets no call", async () => {
  const { url, seen } = await serverOf("archive");
  expect(await call(edgeTo("library", url).pool)).toMatchObject({ code: Code.unavailable });
  expect(seen).toEqual([]);
});

test("after a renewal new calls come with the new certificate, and one under way ends where it began", async () => {
  const { url, seen, held } = await serverOf("library");
  const { pool, renew } = edgeTo("library", url);
  const underWay = call(pool, { "x-hold": "1" });
  await expect.poll(() => held.length).toBe(1);
  clock = Date.now();
  await identities.renew();
  renew();
  expect(await call(pool)).toBeUndefined();
  answer(held[0]!);
  expect(await underWay).toBeUndefined();
  expect(seen).toHaveLength(2);
  expect(seen[1]).not.toBe(seen[0]);
});
