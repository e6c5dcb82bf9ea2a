/** Retries, the breaker and the limit of calls in flight, at a running edge and a running upstream. */
import { once } from "node:events";
import http2 from "node:http2";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { type LibraryEdge, startLibraryEdge } from "../testdata/library-edge.ts";
import {
  type Answer,
  fails,
  type LibraryUpstream,
  silent,
  startLibraryUpstream,
  succeeds,
} from "../testdata/library-upstream.ts";

let upstream: LibraryUpstream;
let edge: LibraryEdge;
beforeAll(async () => {
  upstream = await startLibraryUpstream();
});
beforeEach(() => {
  upstream.calls.length = 0;
  upstream.answers.length = 0;
});
afterEach(() => edge.stop());
afterAll(() => upstream.stop());

const twice = { retry: { attempts: 2, codes: ["UNAVAILABLE"] } };

async function ask(
  policy: Parameters<typeof libraryMethod>[0],
  answers: Answer[],
  options?: Parameters<typeof libraryMethod>[1],
  settings?: object,
): Promise<{ status: number; tries: number; body: { code?: number; id?: string } }> {
  edge = await startLibraryEdge(libraryMethod(policy, options), upstream, { settings });
  upstream.answers.push(...answers);
  const response = await fetch(`${edge.url}/v1/books/7`);
  const body = (await response.json()) as { code?: number; id?: string };
  return { status: response.status, tries: upstream.calls.length, body };
}

/** Fails after its initial metadata, as some servers do. */
const failsLate: Answer = (stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14" }));
  stream.end();
};
const breaksOff: Answer = (stream) => stream.session?.destroy();

test.each([
  ["refuses", fails(14)],
  ["fails after its initial metadata", failsLate],
  ["breaks the connection", breaksOff],
])("an upstream that %s is asked once more, with the same request", async (_what, failure) => {
  const { status, tries, body } = await ask(twice, [failure]);
  expect({ status, tries, body }).toEqual({ status: 200, tries: 2, body: { id: "7" } });
  expect(upstream.calls[0]).not.toHaveProperty("grpc-previous-rpc-attempts");
  expect(upstream.calls[1]).toMatchObject({ "grpc-previous-rpc-attempts": "1" });
});

test("where the mesh retries, the edge retries only what no proxy can", async () => {
  const codes = ["UNAVAILABLE", "ABORTED"];
  const settings = { retries: "mesh" };
  const retry = { attempts: 2, codes };
  expect(await ask({ retry }, [fails(14)], {}, settings)).toMatchObject({ status: 503, tries: 1 });
  await edge.stop();
  upstream.calls.length = 0;
  expect(await ask({ retry }, [fails(10)], {}, settings)).toMatchObject({ status: 200, tries: 2 });
});

test("the last failure is the answer when all tries fail", async () => {
  expect(await ask(twice, [fails(14), fails(14), fails(14)])).toMatchObject({ status: 503, tries: 2 });
});

test.each([
  ["another code", twice, [fails(9)], {}, 400],
  ["a method without retries", {}, [fails(14)], {}, 503],
  ["a pushback below zero", twice, [fails(14, { "grpc-retry-pushback-ms": "-1" })], {}, 503],
  ["a pushback beyond the deadline", twice, [fails(14, { "grpc-retry-pushback-ms": "60000" })], {}, 503],
  [
    "a service's default for a method that changes something",
    {},
    [fails(14)],
    { idempotency: Idempotency.IDEMPOTENCY_UNKNOWN, defaults: twice },
    503,
  ],
] as const)("no second try after %s", async (_what, policy, answers, options, status) => {
  expect(await ask(policy, [...answers], options)).toMatchObject({ status, tries: 1 });
});

test("a pushback is waited for", async () => {
  const began = performance.now();
  const { tries } = await ask(twice, [fails(14, { "grpc-retry-pushback-ms": "300" })]);
  expect(tries).toBe(2);
  expect(performance.now() - began).toBeGreaterThanOrEqual(300);
});

test("a try that takes too long is given up for another", async () => {
  const policy = { retry: { attempts: 2, perTryTimeout: { seconds: 1n } }, timeout: { seconds: 60n } };
  expect(await ask(policy, [silent])).toMatchObject({ status: 200, tries: 2 });
});

test("tries together take no longer than the call may", async () => {
  const policy = { ...twice, timeout: { seconds: 1n } };
  expect(await ask(policy, [silent, silent])).toMatchObject({ status: 504, tries: 1 });
});

test.each([
  ["gRPC", (baseUrl: string) => createGrpcTransport({ baseUrl })],
  ["Connect", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
])("a call by %s is tried again, too", async (_name, transport) => {
  const method = libraryMethod(twice);
  edge = await startLibraryEdge(method, upstream);
  upstream.answers.push(fails(14));
  const client = createClient(method.parent, transport(edge.url)) as unknown as {
    findBook(request: object): Promise<{ id: string }>;
  };
  expect(await client.findBook({ id: "9" })).toMatchObject({ id: "9" });
  expect(upstream.calls).toHaveLength(2);
});

test("a reply that has begun is never asked for again", async () => {
  const method = libraryMethod(twice);
  edge = await startLibraryEdge(method, upstream);
  upstream.answers.push((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14" }));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
  const client = createClient(method.parent, createGrpcTransport({ baseUrl: edge.url })) as unknown as {
    findBook(request: object): Promise<unknown>;
  };
  const error = await client.findBook({ id: "9" }).catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.Unavailable });
  expect(upstream.calls).toHaveLength(1);
});

test("an upstream that fails altogether gets little more than each call once, and then none", async () => {
  // All of it happens within the breaker's window, however long it takes.
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  edge = await startLibraryEdge(libraryMethod(twice), upstream);
  upstream.answers.push(...Array<Answer>(500).fill(fails(14)));
  const statuses = new Set<number>();
  const ask = async (calls: number) => {
    for (let i = 0; i < calls; i++) statuses.add((await fetch(`${edge.url}/v1/books/1`)).status);
  };
  await ask(30);
  // Five failures empty half of the budget.
  expect(upstream.calls).toHaveLength(32);
  await ask(30);
  // With 50 failed tries the breaker opens.
  expect(upstream.calls).toHaveLength(50);
  expect([...statuses]).toEqual([503]);
  const closed = await fetch(`${edge.url}/v1/books/1`);
  expect(Number(closed.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
});

test("clients with too little time do not close an upstream for others", async () => {
  edge = await startLibraryEdge(libraryMethod({}), upstream);
  upstream.answers.push(...Array<Answer>(120).fill(silent));
  const hurried = () => fetch(`${edge.url}/v1/books/1`, { headers: { "grpc-timeout": "50m" } });
  const replies = await Promise.all(Array.from({ length: 120 }, hurried));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([504]));
  upstream.answers.length = 0;
  expect((await fetch(`${edge.url}/v1/books/1`)).status).toBe(200);
});

/** Streams of clients that open calls by gRPC and are never heard of again. */
function openCalls(count: number): Promise<unknown>[] {
  const session = http2.connect(edge.url);
  onTestFinished(() => session.destroy());
  return Array.from({ length: count }, async () => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/library.v1.Library/FindBook",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const [trailers] = await once(stream.resume(), "trailers");
    return trailers["grpc-status"];
  });
}

test("clients that keep their requests back do not close an upstream for others", async () => {
  edge = await startLibraryEdge(libraryMethod({ timeout: { seconds: 2n } }), upstream);
  expect(new Set(await Promise.all(openCalls(120)))).toEqual(new Set(["4"]));
  expect(upstream.calls.length).toBe(120);
  expect((await fetch(`${edge.url}/v1/books/1`)).status).toBe(200);
});

test("one call more than may be in flight is refused before it leaves, with when to come again", async () => {
  edge = await startLibraryEdge(libraryMethod({ concurrency: { limit: 1 } }), upstream);
  const held = Promise.withResolvers<() => void>();
  upstream.answers.push((stream, headers) => held.resolve(() => succeeds(stream, headers)));
  const first = fetch(`${edge.url}/v1/books/1`);
  const answer = await held.promise;
  const refused = await fetch(`${edge.url}/v1/books/2`);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await refused.json()).toMatchObject({
    code: 14,
    details: [{ reason: "OVERLOADED", domain: "library.v1" }, {}],
  });
  expect(upstream.calls).toHaveLength(1);
  answer();
  expect((await first).status).toBe(200);
});

test("a client that leaves ends the waiting for another try", async () => {
  edge = await startLibraryEdge(libraryMethod({ ...twice, timeout: { seconds: 60n } }), upstream);
  upstream.answers.push(fails(14, { "grpc-retry-pushback-ms": "2000" }));
  const leave = new AbortController();
  const call = fetch(`${edge.url}/v1/books/1`, { signal: leave.signal });
  await expect.poll(() => upstream.calls.length).toBe(1);
  leave.abort();
  await expect(call).rejects.toThrow();
  await expect.poll(() => edge.finished.length).toBe(1);
  expect(edge.finished[0]?.outcome.code).toBe(Code.Canceled);
  // Another call that waits longer: by then the first one's try would have come.
  upstream.answers.push(fails(14, { "grpc-retry-pushback-ms": "2500" }));
  expect((await fetch(`${edge.url}/v1/books/1`)).status).toBe(200);
  expect(upstream.calls).toHaveLength(3);
});
