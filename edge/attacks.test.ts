/** Attacks on the edge, byte by byte over raw sockets, each with the answer it must get. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { dropReservedHeaders } from "./policies/call-headers.ts";
import { type LibraryEdge, startLibraryEdge } from "./testdata/library-edge.ts";
import { type LibraryUpstream, startLibraryUpstream } from "./testdata/library-upstream.ts";

let upstream: LibraryUpstream;
let edge: LibraryEdge;
beforeAll(async () => {
  upstream = await startLibraryUpstream();
  edge = await startLibraryEdge(libraryMethod({ maxRequestBytes: 65_536 }), upstream, {
    steps: [dropReservedHeaders],
  });
});
afterAll(async () => {
  await edge.stop();
  await upstream.stop();
});

interface Outcome {
  /** Status of each response. */
  statuses: number[];
  text: string;
  /** Whether the edge closed the connection by itself. */
  closed: boolean;
}

/**
 * Sends bytes and reads until the edge closes the connection, or has answered and stays silent.
 * @param later bytes that follow at once, as a packet of their own
 */
function send(bytes: string, later?: string, { port } = edge): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    const done = (closed: boolean) => {
      clearTimeout(idle);
      socket.destroy();
      const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
      resolve({ statuses, text, closed });
    };
    const idle = setTimeout(() => done(false), 60_000);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      idle.refresh();
    });
    socket.on("close", () => done(true)).on("error", () => {});
    socket.write(bytes, "latin1");
    if (later !== undefined) socket.write(later, "latin1");
  });
}

const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: library", "Connection: close", ...headers, "", ""].join("\r\n");
const post = (headers: string[], body = "") =>
  ["POST /v1/books HTTP/1.1", "Host: library", "Content-Type: application/json", ...headers, "", body].join(
    "\r\n",
  );
/** What a smuggler would have the edge take for a second request. */
const smuggled = "GET /v1/books/smuggled HTTP/1.1\r\nHost: library\r\n\r\n";

describe("requests that two parties could read differently are refused, and the connection ends", () => {
  test.each([
    [
      "Content-Length and Transfer-Encoding",
      post(["Content-Length: 2", "Transfer-Encoding: chunked"], `0\r\n\r\n${smuggled}`),
    ],
    [
      "Transfer-Encoding and Content-Length",
      post(["Transfer-Encoding: chunked", "Content-Length: 2"], `0\r\n\r\n${smuggled}`),
    ],
    ["two Content-Lengths", post(["Content-Length: 2", "Content-Length: 60"], `{}${smuggled}`)],
    ["two equal Content-Lengths", post(["Content-Length: 2", "Content-Length: 2"], `{}${smuggled}`)],
    ["a list of Content-Lengths", post(["Content-Length: 2, 2"], `{}${smuggled}`)],
    ["Content-Length +2", post(["Content-Length: +2"], `{}${smuggled}`)],
    ["Content-Length -1", post(["Content-Length: -1"], `{}${smuggled}`)],
    ["Content-Length 0x2", post(["Content-Length: 0x2"], `{}${smuggled}`)],
    ["Transfer-Encoding: xchunked", post(["Transfer-Encoding: xchunked"], `2\r\n{}\r\n0\r\n\r\n${smuggled}`)],
    [
      "Transfer-Encoding: chunked, identity",
      post(["Transfer-Encoding: chunked, identity"], `2\r\n{}\r\n0\r\n\r\n${smuggled}`),
    ],
    ["a space before the colon", post(["Transfer-Encoding : chunked"], `0\r\n\r\n${smuggled}`)],
    ["a bad chunk size", post(["Transfer-Encoding: chunked"], `0x2\r\n{}\r\n0\r\n\r\n${smuggled}`)],
    ["a bare LF between headers", `GET /v1/books/1 HTTP/1.1\nHost: library\n\n${smuggled}`],
    ["a folded header", get("/v1/books/1", "X-One: a", " Transfer-Encoding: chunked") + smuggled],
    ["a NUL in a header", get("/v1/books/1", "X-One: a\0b")],
    ["a CR in a header", get("/v1/books/1", "X-One: a\rX-Two: b")],
    ["a header without a colon", get("/v1/books/1", "nonsense")],
    ["HTTP/0.9", "GET /v1/books/1\r\n\r\n"],
    ["an HTTP version that is none", `GET /v1/books/1 HTTP/1.1x\r\nHost: library\r\n\r\n`],
  ])("%s", async (_what, bytes) => {
    const before = upstream.calls.length;
    const { statuses, closed } = await send(bytes);
    expect(statuses).toEqual([400]);
    expect(closed).toBe(true);
    expect(upstream.calls).toHaveLength(before);
  });
});

test.each([
  ["two Hosts", get("/v1/books/1", "Host: other"), 400],
  ["no Host", "GET /v1/books/1 HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["two Authorizations", get("/v1/books/1", "Authorization: Bearer a", "Authorization: Bearer b"), 400],
  ["TRACE", get("/v1/books/1").replace("GET", "TRACE"), 405],
  ["CONNECT", "CONNECT library:80 HTTP/1.1\r\nHost: library:80\r\n\r\n", 405],
  ["a path that climbs", get("/v1/books/../secret"), 400],
  ["an encoded path that climbs", get("/v1/books/%2e%2e"), 400],
  ["an id that does not decode", get("/v1/books/%zz"), 400],
  ["an id that is no UTF-8", get("/v1/books/%ff"), 400],
  ["/metrics", get("/metrics"), 404],
  ["/debug", get("/debug/pprof/"), 404],
  ["/.git", get("/.git/config"), 404],
  ["/.env", get("/.env"), 404],
  ["an old version", get("/v0/books/1"), 404],
  ["a body that is announced too large", post(["Content-Length: 65537", "Connection: close"]), 413],
  [
    "a body that is too large in chunks",
    post(["Transfer-Encoding: chunked", "Connection: close"], `10001\r\n${"x".repeat(65_537)}\r\n0\r\n\r\n`),
    413,
  ],
  [
    "another content type",
    post(["Content-Length: 2", "Connection: close"], "{}").replace("application/json", "text/plain"),
    415,
  ],
  ["headers over 16 kB", get("/v1/books/1", `X-One: ${"a".repeat(20_000)}`), 431],
  ["a URL over 16 kB", get(`/v1/books/${"a".repeat(20_000)}`), 414],
  ["__proto__ in a body", post(["Content-Length: 22", "Connection: close"], '{"__proto__":{"id":1}}'), 400],
])("%s is refused", async (_what, bytes, status) => {
  const before = upstream.calls.length;
  const { statuses, text } = await send(bytes);
  expect(statuses[0]).toBe(status);
  expect(text).not.toMatch(/node:|\.ts:|\bat \w/);
  expect(upstream.calls).toHaveLength(before);
});

test("names that only the mesh may use do not reach an upstream, nor does a claimed address", async () => {
  const spoofed = [
    "X-Weft-Identity: forged",
    "X-Weft-Anything: 1",
    "X-Forwarded-Client-Cert: forged",
    "L5d-Client-Id: forged",
  ];
  const claimed = ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-Ip: 192.0.2.1"];
  const { statuses } = await send(get("/v1/books/1", ...spoofed, ...claimed));
  expect(statuses).toEqual([200]);
  const seen = upstream.calls.at(-1)!;
  for (const name of [
    "x-weft-identity",
    "x-weft-anything",
    "x-forwarded-client-cert",
    "l5d-client-id",
    "forwarded",
    "x-real-ip",
  ])
    expect(seen, name).not.toHaveProperty(name);
  expect(seen["x-forwarded-for"]).toBe("127.0.0.1");
});

test("headers named in Connection do not get through, nor does what would change the upstream's protocol", async () => {
  const { statuses } = await send(
    [
      "GET /v1/books/1 HTTP/1.1",
      "Host: library",
      "Connection: close, X-Hop",
      "X-Hop: 1",
      "TE: trailers",
      "Upgrade: h2c",
      "grpc-encoding: x",
      "",
      "",
    ].join("\r\n"),
  );
  expect(statuses).toEqual([200]);
  const seen = upstream.calls.at(-1)!;
  expect(seen).not.toHaveProperty("x-hop");
  expect(seen).not.toHaveProperty("upgrade");
  expect(seen).not.toHaveProperty("grpc-encoding");
});

test("a body that comes too slowly ends with 408 or a closed connection", async () => {
  const settings = { request_timeout_ms: 2_000 };
  const impatient = await startLibraryEdge(libraryMethod({}), upstream, { settings });
  onTestFinished(() => impatient.stop());
  const { statuses, closed } = await send(post(["Content-Length: 100"], '{"id":'), undefined, impatient);
  expect(closed).toBe(true);
  expect(statuses.filter((status) => status !== 408)).toEqual([]);
});

test("what follows a refused request on the same connection is not answered as part of it", async () => {
  const { statuses } = await send(post(["Content-Length: 70000"], "x".repeat(100)), smuggled);
  expect(statuses).toEqual([413]);
});
