/** Stopping while calls are in flight. */
import { Agent, get, type IncomingMessage } from "node:http";
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createConnection } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { type LibraryEdge, startLibraryEdge } from "./testdata/library-edge.ts";
import { type LibraryUpstream, startLibraryUpstream, succeeds } from "./testdata/library-upstream.ts";

let upstream: LibraryUpstream;
let edge: LibraryEdge;
/** A call that the upstream has and holds. */
let held: PromiseWithResolvers<() => void>;
beforeAll(async () => {
  upstream = await startLibraryUpstream();
});
beforeEach(async () => {
  held = Promise.withResolvers();
  // Cutting off what is left must not be what ends the waiting.
  edge = await startLibraryEdge(libraryMethod({}), upstream, { settings: { grace_ms: 600_000 } });
  upstream.answers.push((stream: ServerHttp2Stream, headers) =>
    held.resolve(() => succeeds(stream, headers)),
  );
});
afterEach(() => edge.stop());
afterAll(() => upstream.stop());

const refused = () =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection(edge.port, "127.0.0.1");
    socket.on("connect", () => resolve(false)).on("error", () => resolve(true));
    socket.on("close", () => socket.destroy());
  });

test("an HTTP/1.1 call in flight is answered, and its connection is not used again", async () => {
  const agent = new Agent({ keepAlive: true });
  const call = new Promise<IncomingMessage>((resolve) => {
    get(`${edge.url}/v1/books/1`, { agent }, resolve);
  });
  const answer = await held.promise;
  const drained = edge.drain();
  expect(await refused()).toBe(true);
  answer();
  const response = await call;
  expect(response.statusCode).toBe(200);
  response.resume();
  await drained;
  agent.destroy();
});

test("an HTTP/2 session gets GOAWAY and its open stream an answer", async () => {
  const session: ClientHttp2Session = http2.connect(edge.url);
  const goaway = new Promise((resolve) => session.once("goaway", resolve));
  const stream = session.request({ ":path": "/v1/books/1" });
  const status = new Promise((resolve) => stream.once("response", (headers) => resolve(headers[":status"])));
  stream.resume();
  const answer = await held.promise;
  const drained = edge.drain();
  expect(await goaway).toBe(0);
  answer();
  expect(await status).toBe(200);
  await drained;
  session.destroy();
});
