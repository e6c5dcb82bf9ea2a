/** What forgers and strangers try with users' tokens at a service's own port, past the edge: with @grpc/grpc-js and by hand. */
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { forgeries, now, sign } from "../identity/testdata/forged-tokens.ts";
import {
  beAttacked,
  connection,
  edge,
  grpc,
  grpcCaller,
  path,
  seen,
  voided,
  withToken,
} from "./testdata/attacked-library.ts";
import { forget, library, logged, stopAll } from "./testdata/library-mesh.ts";

beforeAll(beAttacked);
beforeEach(forget);
afterAll(stopAll);

test("a good token of a reader passes where the edge brings it", async () => {
  expect(await grpcCaller(edge)(withToken(await sign()))).toMatchObject({ code: 0 });
  expect(await connection(edge)(grpc({ authorization: `Bearer ${await sign()}` }))).toMatchObject({
    grpc: "0",
  });
  expect(library.calls).toBe(2);
  expect(logged).toEqual([]);
});

test.each(forgeries)("a token is refused, with caller and method in the log: %s", async (_what, forge) => {
  const token = await forge();
  const { code, details } = await grpcCaller(edge)(withToken(token));
  expect(code).toBe(16);
  expect(details).not.toMatch(/jose|kid|alg|signature|\.ts:/i);
  expect(logged).toMatchObject([
    { caller: "edge", rpc: path.slice(1), reason: expect.stringMatching(/^TOKEN_(INVALID|EXPIRED)$/) },
  ]);
  expect(JSON.stringify(logged)).not.toContain(token.slice(0, 40));
  expect(library.calls).toBe(0);
});

test("a token larger than headers may be ends its own call only", async () => {
  const call = grpcCaller(edge);
  expect((await call(withToken(await sign({ filler: "x".repeat(100_000) })))).code).not.toBe(0);
  expect(library.calls).toBe(0);
  expect(await call(withToken(await sign()))).toMatchObject({ code: 0 });
});

/** Where a good token does not belong. */
const misplaced: [string, (token: string) => Record<string, string>][] = [
  ["nowhere", () => ({})],
  ["in an empty header", () => ({ authorization: "" })],
  ["as the scheme alone", () => ({ authorization: "Bearer" })],
  ["by another scheme", (token) => ({ authorization: `Basic ${token}` })],
  ["twice in one header", (token) => ({ authorization: `Bearer ${token}, Bearer ${token}` })],
  ["with more behind it", (token) => ({ authorization: `Bearer ${token} x` })],
  [
    "in binary metadata",
    (token) => ({ "authorization-bin": Buffer.from(`Bearer ${token}`).toString("base64") }),
  ],
  ["in the header of proxies", (token) => ({ "proxy-authorization": `Bearer ${token}` })],
  ["in a header that looks like it", (token) => ({ "x-authorization": `Bearer ${token}` })],
  ["in the header of Istio's user", (token) => ({ "x-forwarded-access-token": token })],
  ["in a cookie", (token) => ({ cookie: `authorization=Bearer ${token}` })],
  [
    "as names that a proxy could set",
    () => ({ "x-user-id": "ann", "x-weft-user": "ann", "x-forwarded-user": "ann" }),
  ],
];
test.each(misplaced)("a token counts for nothing %s", async (_what, headers) => {
  expect(await connection(edge)(grpc(headers(await sign())))).toMatchObject({ grpc: "16" });
  expect(logged).toMatchObject([{ caller: "edge", rpc: path.slice(1) }]);
  expect(library.calls).toBe(0);
});

test("a token counts for nothing in trailers, or in the query", async () => {
  const call = connection(edge);
  const authorization = `Bearer ${await sign()}`;
  expect(await call(grpc(), { trailers: { authorization } })).toMatchObject({ grpc: "16" });
  const answer = await call(grpc({}, `${path}?access_token=${await sign()}`));
  expect(answer.grpc).not.toBe("0");
  expect(library.calls).toBe(0);
});

test("a token counts for its own call only, not for others of the connection", async () => {
  const call = connection(edge);
  const good = { authorization: `Bearer ${await sign()}` };
  const forged = { authorization: `Bearer ${await sign({ aud: "other" })}` };
  const statuses = [];
  for (const headers of [good, {}, good, forged, good]) statuses.push((await call(grpc(headers))).grpc);
  expect(statuses).toEqual(["0", "16", "0", "16", "0"]);
});

test("a user without the role is refused, and one whose tokens were voided", async () => {
  const call = grpcCaller(edge);
  expect(await call(withToken(await sign({ roles: ["writer", "READER", "reader "] })))).toMatchObject({
    code: 7,
  });
  voided.set("bob", now() + 1);
  onTestFinished(() => void voided.clear());
  expect(await call(withToken(await sign({ sub: "bob" })))).toMatchObject({ code: 16 });
  expect(logged.map(({ reason }) => reason)).toEqual(["ROLE_MISSING", "TOKEN_REVOKED"]);
  expect(library.calls).toBe(0);
});

test("a flood of unknown key ids reads the keys once, and holders of good tokens do not notice", async () => {
  const call = grpcCaller(edge);
  expect(await call(withToken(await sign()))).toMatchObject({ code: 0 });
  const before = seen.keyReads;
  const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => sign({}, { kid: `unknown-${n}` })));
  const answers = await Promise.all(flood.map((token) => call(withToken(token))));
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([16]));
  expect(await call(withToken(await sign({ jti: "another" })))).toMatchObject({ code: 0 });
  expect(seen.keyReads - before).toBeLessThanOrEqual(1);
});
