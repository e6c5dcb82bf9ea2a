/** Clients call nobody but the service they mean, and start with nobody's certificate but their own. */
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import {
  client,
  expired,
  forget,
  idOf,
  issue,
  issueTo,
  library,
  stopAll,
  strangers,
  valid,
  withPair,
  workload,
} from "./testdata/library-mesh.ts";

beforeEach(forget);
afterAll(stopAll);

const servers: [name: string, options: () => Promise<http2.SecureServerOptions>][] = [
  ["has another service's certificate", async () => withPair(await issueTo("archive"))],
  [
    "has one of another authority",
    async () => withPair(await issue({ uris: [idOf("library")] }, valid, strangers)),
  ],
  ["has an expired one", async () => withPair(await issue({ uris: [idOf("library")] }, expired))],
  [
    "has one of another trust domain",
    async () => withPair(await issue({ uris: ["spiffe://evil.test/ns/default/sa/library"] })),
  ],
  ["has two ids", async () => withPair(await issue({ uris: [idOf("library"), idOf("archive")] }))],
  [
    "is known by DNS name only",
    async () =>
      withPair(await issue({ uris: [], dnsNames: ["library", "localhost"], addresses: ["127.0.0.1"] })),
  ],
  ["speaks TLS 1.2 only", async () => ({ ...withPair(await issueTo("library")), maxVersion: "TLSv1.2" })],
];

test.each(servers)("a server that %s gets no call", async (_, options) => {
  let reached = false;
  const server = http2.createSecureServer(await options());
  server.on("stream", () => {
    reached = true;
  });
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { list } = await client("operator", await issueTo("operator"), port);
  await expect(list()).rejects.toMatchObject({ code: Code.Unavailable });
  expect(reached).toBe(false);
});

test("a server that speaks plaintext gets no call", async () => {
  const server = http2.createServer(() => {
    library.calls++;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { list } = await client("operator", await issueTo("operator"), port);
  await expect(list()).rejects.toBeInstanceOf(ConnectError);
  expect(library.calls).toBe(0);
});

test("a workload does not start with another's certificate, another's key or an expired one", async () => {
  const [mine, other] = [await issueTo("operator"), await issueTo("edge")];
  expect(() => workload("operator", other)).toThrow('belongs to "edge"');
  expect(() => workload("operator", { ...mine, key: other.key })).toThrow("another key");
  const old = await issue({ uris: [idOf("operator")] }, expired);
  expect(() => workload("operator", old)).toThrow("expired");
});
