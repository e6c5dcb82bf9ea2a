import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  audience,
  forgeries,
  issuer,
  jwks,
  now,
  sign,
} from "#mesh/runtime/identity/testdata/forged-tokens.ts";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { dropReservedHeaders } from "./policies/call-headers.ts";
import { checkToken } from "./policies/check-token.ts";
import { type LibraryEdge, startLibraryEdge } from "./testdata/library-edge.ts";
import { type LibraryUpstream, startLibraryUpstream } from "./testdata/library-upstream.ts";

let keyFetches = 0;
const issuerServer = createServer((_request, response) => {
  keyFetches++;
  response.setHeader("content-type", "application/json").end(JSON.stringify(jwks));
});
let upstream: LibraryUpstream;
let edge: LibraryEdge;
beforeAll(async () => {
  issuerServer.listen(0, "127.0.0.1");
  await once(issuerServer, "listening");
  const { port } = issuerServer.address() as AddressInfo;
  const verifyUser = createUserVerifier({ jwksUrl: `http://127.0.0.1:${port}/jwks.json`, issuer, audience });
  upstream = await startLibraryUpstream();
  const method = libraryMethod({
    access: { rule: { case: "roles", value: { anyOf: ["reader"] } } } as never,
  });
  edge = await startLibraryEdge(method, upstream, { steps: [dropReservedHeaders, checkToken(verifyUser)] });
});
afterAll(async () => {
  await edge.stop();
  await upstream.stop();
  issuerServer.close();
});
beforeEach(() => {
  upstream.calls.length = 0;
});

/** Sends requests on one connection, which the last one ends. */
async function send(...requests: string[][]): Promise<{ statuses: number[]; text: string }> {
  const socket = connect(edge.port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  for (const [i, headers] of requests.entries()) {
    const connection = i === requests.length - 1 ? ["Connection: close"] : [];
    socket.write(
      ["GET /v1/books/1 HTTP/1.1", "Host: library", ...connection, ...headers, "", ""].join("\r\n"),
      "latin1",
    );
  }
  await once(socket, "close");
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)), text };
}

test("a good token passes", async () => {
  expect((await send([`Authorization: Bearer ${await sign()}`])).statuses).toEqual([200]);
  expect(upstream.calls).toHaveLength(1);
});

test.each(forgeries)("a token is refused: %s", async (_what, forge) => {
  const token = await forge();
  const { statuses, text } = await send([`Authorization: Bearer ${token}`]);
  expect(statuses).toEqual([401]);
  expect(text).toMatch(/^www-authenticate: Bearer/im);
  expect(text).toMatch(/"code":16/);
  // Not the token, nor what was found out about it.
  expect(text).not.toContain(token.slice(0, 40));
  expect(text).not.toMatch(/jose|kid|signature|\.ts:/i);
  expect(upstream.calls).toEqual([]);
});

test.each<[string, (token: string) => string[], number]>([
  ["none", () => [], 401],
  ["an empty header", () => ["Authorization:"], 401],
  ["a scheme alone", () => ["Authorization: Bearer"], 401],
  ["another scheme", (token) => [`Authorization: Token ${token}`], 401],
  ["two tokens in one header", (token) => [`Authorization: Bearer ${token}, Bearer ${token}`], 401],
  ["two headers", (token) => [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`], 400],
  ["a folded header", (token) => ["Authorization: Bearer", ` ${token}`], 400],
  ["a name with a space", (token) => [`Authorization : Bearer ${token}`], 400],
  ["another header", (token) => [`X-Authorization: Bearer ${token}`], 401],
  ["the header of proxies", (token) => [`Proxy-Authorization: Bearer ${token}`], 401],
  ["a cookie", (token) => [`Cookie: access_token=${token}`], 401],
  ["names of the mesh", () => ["X-Weft-User: ann", "X-User-Id: ann", "X-Forwarded-User: ann"], 401],
])("no token where it belongs is refused: %s", async (_what, headers, status) => {
  expect((await send(headers(await sign()))).statuses).toEqual([status]);
  expect(upstream.calls).toEqual([]);
});

test("a token in the query is not taken for one", async () => {
  const socket = connect(edge.port, "127.0.0.1");
  socket.end(
    `GET /v1/books/1?access_token=${await sign()} HTTP/1.1\r\nHost: library\r\nConnection: close\r\n\r\n`,
  );
  const [chunk] = (await once(socket, "data")) as [Buffer];
  expect(chunk.toString()).toMatch(/^HTTP\/1\.1 401/);
});

test("a user without the role is refused with 403", async () => {
  const { statuses } = await send([`Authorization: Bearer ${await sign({ roles: ["writer"] })}`]);
  expect(statuses).toEqual([403]);
  expect(upstream.calls).toEqual([]);
});

test("where no user is asked for, a token is neither read nor passed on", async () => {
  const verifyUser = () => {
    throw new Error("was read");
  };
  const method = libraryMethod({ access: { rule: { case: "public", value: true } } as never });
  const open = await startLibraryEdge(method, upstream, { steps: [checkToken(verifyUser)] });
  const headers = { authorization: `Bearer ${await sign({ exp: now() - 100 })}` };
  expect((await fetch(`${open.url}/v1/books/1`, { headers })).status).toBe(200);
  expect(upstream.calls.map(({ authorization }) => authorization)).toEqual([undefined]);
  await open.stop();
});

test("a token counts for its own request only, not for others of the connection", async () => {
  const good = [`Authorization: Bearer ${await sign()}`];
  const { statuses } = await send(good, [], good, [`Authorization: Bearer ${await sign({ aud: "other" })}`]);
  expect(statuses).toEqual([200, 401, 200, 401]);
  expect(upstream.calls).toHaveLength(2);
});

test("unknown key ids make the edge ask its issuer once at most", async () => {
  const before = keyFetches;
  const tokens = await Promise.all(Array.from({ length: 30 }, (_, i) => sign({}, { kid: `unknown-${i}` })));
  const answers = await Promise.all(tokens.map((token) => send([`Authorization: Bearer ${token}`])));
  expect(answers.flatMap(({ statuses }) => statuses)).toEqual(Array(30).fill(401));
  expect(keyFetches - before).toBeLessThanOrEqual(1);
});
