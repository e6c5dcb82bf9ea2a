/** The policies together, at a running edge. */
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { RateLimit_Key as Key } from "#gen/weft/policy/v1/policy_pb.ts";
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { type LibraryEdge, startLibraryEdge } from "../testdata/library-edge.ts";
import { type LibraryUpstream, startLibraryUpstream } from "../testdata/library-upstream.ts";
import { limitUser } from "./limit-rate.ts";
import { MemoryRateLimits } from "./rate-limit-store.ts";

let upstream: LibraryUpstream;
let edge: LibraryEdge | undefined;
beforeAll(async () => {
  upstream = await startLibraryUpstream();
});
afterEach(async () => {
  await edge?.stop();
  edge = undefined;
});
afterAll(() => upstream.stop());

async function start(
  policy: Parameters<typeof libraryMethod>[0],
  options?: Parameters<typeof startLibraryEdge>[2],
): Promise<string> {
  edge = await startLibraryEdge(libraryMethod(policy), upstream, options);
  return edge.url;
}

const perMinute = (requests: number, key: Key = Key.IP) => ({
  rateLimit: { requests, period: { seconds: 60n }, key },
});

test("one request too many gets 429, with when to come again, and reaches nobody", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const url = await start(perMinute(2));
  const first = await fetch(`${url}/v1/books/1`);
  expect(first.status).toBe(200);
  expect(first.headers.get("ratelimit-policy")).toBe('"address";q=2;w=60');
  expect(first.headers.get("ratelimit")).toBe('"address";r=1;t=30');
  await fetch(`${url}/v1/books/1`);
  const before = upstream.calls.length;
  const third = await fetch(`${url}/v1/books/1`);
  const body = (await third.json()) as { code: number; details: Record<string, string>[] };
  expect(third.status).toBe(429);
  expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(28);
  expect(third.headers.get("ratelimit")).toMatch(/^"address";r=0;t=(59|60)$/);
  expect(third.headers.get("x-request-id")).toBeTruthy();
  expect(body).toMatchObject({
    code: 8,
    details: [{ reason: "RATE_LIMITED", domain: "library.v1" }, { violations: [{ subject: "address" }] }, {}],
  });
  const details = body.details.map((detail) => detail["@type"]?.split(".").at(-1));
  expect(details).toEqual(["ErrorInfo", "QuotaFailure", "RetryInfo"]);
  expect(body.details[2]?.retryDelay).toMatch(/^(29|30)s$/);
  expect(upstream.calls).toHaveLength(before);
});

test.each([
  ["gRPC", (baseUrl: string) => createGrpcTransport({ baseUrl })],
  ["Connect", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
])("the limit is the same for %s", async (_name, transport) => {
  const method = libraryMethod(perMinute(1));
  edge = await startLibraryEdge(method, upstream);
  const client = createClient(method.parent, transport(edge.url)) as unknown as Record<
    string,
    (request: object) => Promise<unknown>
  >;
  await client.findBook!({});
  const error = (await client.findBook!({}).catch(ConnectError.from)) as ConnectError;
  expect(error.code).toBe(Code.ResourceExhausted);
  expect(error.details).toHaveLength(3);
});

test("addresses are told apart by what trusted proxies say, and only then", async () => {
  const url = await start(perMinute(1), { settings: { trusted_proxies: ["127.0.0.0/8"] } });
  const from = (address: string) =>
    fetch(`${url}/v1/books/1`, { headers: { "x-forwarded-for": address } }).then(({ status }) => status);
  expect([await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([
    200, 429, 200,
  ]);
  expect(upstream.calls.at(-1)?.["x-forwarded-for"]).toBe("192.0.2.2");
  await edge?.stop();
  const strict = await start(perMinute(1));
  const spoofed = (address: string) =>
    fetch(`${strict}/v1/books/1`, { headers: { "x-forwarded-for": address, "x-real-ip": address } });
  expect([(await spoofed("192.0.2.1")).status, (await spoofed("192.0.2.2")).status]).toEqual([200, 429]);
  expect(upstream.calls.at(-1)).toMatchObject({ "x-forwarded-for": "127.0.0.1" });
  expect(upstream.calls.at(-1)).not.toHaveProperty("x-real-ip");
  expect(edge?.finished.at(-1)?.call.peer).toBe("127.0.0.1");
});

test.each([
  ["user", Key.USER, { id: "ann", roles: [], clientId: "app" }],
  ["client", Key.CLIENT, { id: "ann", roles: [], clientId: "app" }],
  ["address of somebody who is not signed in", Key.USER, undefined],
])("a limit by %s counts for that alone", async (_what, key, principal) => {
  const method = libraryMethod(perMinute(1, key));
  const limits = { store: new MemoryRateLimits(), everything: undefined };
  let current = principal;
  const signIn = (passage: { principal: unknown }) => {
    passage.principal = current;
  };
  edge = await startLibraryEdge(method, upstream, { steps: [signIn, limitUser(limits)] });
  const status = async () => (await fetch(`${edge?.url}/v1/books/1`)).status;
  expect([await status(), await status()]).toEqual([200, 429]);
  current = { id: "bob", roles: [], clientId: "other" };
  expect(await status()).toBe(200);
});

test("a limit for everything counts all methods of an address together", async () => {
  const url = await start({}, { settings: { address_rate_limit: "2/m" } });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await fetch(`${url}/v1/books/1`)).status);
  expect(statuses).toEqual([200, 200, 429]);
});

test("a body over the contract's limit is 413 before it is read, by every protocol", async () => {
  const url = await start({ maxRequestBytes: 1_000 });
  const id = "x".repeat(1_000);
  const rest = await fetch(`${url}/v1/books`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id }),
  });
  expect(rest.status).toBe(413);
  const method = libraryMethod({});
  const grpc = createClient(method.parent, createGrpcTransport({ baseUrl: url })) as never as {
    findBook(request: object): Promise<unknown>;
  };
  await expect(grpc.findBook({ id })).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test("every response has the security headers, and no origin is allowed", async () => {
  const url = await start({}, { openApi: "{}" });
  for (const path of ["/v1/books/1", "/healthz", "/nowhere", "/v1/books", "/openapi.json"]) {
    const { headers } = await fetch(url + path, { headers: { origin: "https://evil.example" } });
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    expect(headers.get("content-security-policy"), path).toContain("default-src 'none'");
    expect(headers.get("cache-control"), path).toMatch(/^no-(store|cache)$/);
    expect(headers.has("access-control-allow-origin"), path).toBe(false);
  }
});

test("a success may be cached where the contract says so; a failure never", async () => {
  const method = libraryMethod({ cache: { maxAge: { seconds: 60n }, shared: true } });
  expect(method.idempotency).toBe(Idempotency.NO_SIDE_EFFECTS);
  edge = await startLibraryEdge(method, upstream);
  const found = await fetch(`${edge.url}/v1/books/1`);
  expect(found.headers.get("cache-control")).toBe("public, max-age=60");
  const refused = await fetch(`${edge.url}/v1/books/1?nonsense=1`);
  expect([refused.status, refused.headers.get("cache-control")]).toEqual([400, "no-store"]);
});

const preflight = (url: string, origin: string, path = "/v1/books") =>
  fetch(url + path, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });

test("a configured origin may ask and read; another may not", async () => {
  const url = await start({}, { settings: { cors_origins: "https://app.example, https://b.example" } });
  const asked = await preflight(url, "https://app.example");
  expect(asked.status).toBe(204);
  expect(asked.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect(asked.headers.get("access-control-allow-methods")).toContain("POST");
  expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
  expect(asked.headers.has("access-control-allow-credentials")).toBe(false);
  const read = await fetch(`${url}/v1/books/1`, { headers: { origin: "https://b.example" } });
  expect(read.headers.get("access-control-allow-origin")).toBe("https://b.example");
  expect(read.headers.get("access-control-expose-headers")).toContain("ratelimit");
  expect(read.headers.get("vary")).toContain("origin");
  for (const origin of ["https://evil.example", "https://app.example.evil", "null", "https://APP.example"]) {
    const { headers } = await preflight(url, origin);
    expect(headers.has("access-control-allow-origin"), origin).toBe(false);
    expect(headers.has("access-control-allow-methods"), origin).toBe(false);
  }
  const none = await fetch(`${url}/v1/books/1`);
  expect(none.headers.get("vary")).toContain("origin");
});

test("with all origins allowed the answer names none", async () => {
  const url = await start({}, { settings: { cors_origins: ["*"] } });
  const read = await fetch(`${url}/v1/books/1`, { headers: { origin: "https://b.example" } });
  expect(read.headers.get("access-control-allow-origin")).toBe("*");
});
