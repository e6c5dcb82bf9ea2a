import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet, generateKeyPair, UnsecuredJWT } from "jose";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  audience,
  claims,
  hmacWithPublicKey,
  issuer,
  jwk,
  now,
  privateKey,
  sign,
  stranger,
} from "./testdata/forged-tokens.ts";
import { createUserVerifier } from "./user-token.ts";

const verify = createUserVerifier({
  jwksUrl: "http://unused.test",
  issuer,
  audience,
  keys: createLocalJWKSet({ keys: [jwk] }),
});

test("a valid token names the principal, also the second time", async () => {
  const authorization = `Bearer ${await sign()}`;
  expect(await verify(authorization)).toEqual({ id: "ann", roles: ["reader"] });
  expect(await verify(authorization)).toEqual({ id: "ann", roles: ["reader"] });
});

const header = { alg: "EdDSA", typ: "at+jwt", kid: "key-1" };
const elliptic = await generateKeyPair("ES256");
const rsa = await generateKeyPair("RS256");
const signAs = (alg: string, key: CryptoKey) => sign({}, { alg }, key);

/** Anything at all, signed with the right key. */
async function bySegments(head: object, payload: unknown): Promise<string> {
  const part = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const input = `${part(head)}.${part(payload)}`;
  const signature = await crypto.subtle.sign("Ed25519", privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}

const forgeries: [string, () => Promise<string> | string][] = [
  ["unsigned", () => new UnsecuredJWT(claims()).encode()],
  ["HS256 keyed with the public key", hmacWithPublicKey],
  ["signed by a stranger under a known key id", () => sign({}, {}, stranger.privateKey)],
  ["unknown key id", () => sign({}, { kid: "key-2" })],
  ["path as key id", () => sign({}, { kid: "../../dev/null" })],
  ["key of its own in the header", () => sign({}, { jwk: jwk as never }, stranger.privateKey)],
  ["expired", () => sign({ iat: now() - 400, exp: now() - 100 })],
  ["without exp", () => sign({ exp: undefined })],
  ["living for a day", () => sign({ exp: now() + 86_400 })],
  ["issued long ago", () => sign({ iat: now() - 86_400 })],
  ["not valid yet", () => sign({ nbf: now() + 600 })],
  ["without iat", () => sign({ iat: undefined })],
  ["without jti", () => sign({ jti: undefined })],
  ["empty subject", () => sign({ sub: "" })],
  ["without subject", () => sign({ sub: undefined })],
  ["another issuer", () => sign({ iss: "https://evil.test" })],
  ["another audience", () => sign({ aud: "other" })],
  ["an id token", () => sign({}, { typ: "JWT" })],
  ["without type", () => sign({}, { typ: undefined })],
  ["roles as text", () => sign({ roles: "admin" })],
  ["without roles", () => sign({ roles: undefined })],
  ["larger than 4 KB", () => sign({ filler: "x".repeat(5_000) })],
  ["of another key type under a known key id", () => signAs("ES256", elliptic.privateKey)],
  ["RS256 under a known key id", () => signAs("RS256", rsa.privateKey)],
  [
    "a key address of its own in the header",
    () => sign({}, { jku: "https://evil.test/keys" }, stranger.privateKey),
  ],
  [
    "a certificate address in the header",
    () => sign({}, { x5u: "https://evil.test/cert" }, stranger.privateKey),
  ],
  ["a certificate in the header", () => sign({}, { x5c: ["MIIB"] }, stranger.privateKey)],
  ["an address as key id", () => sign({}, { kid: "https://evil.test/key" })],
  ["SQL as key id", () => sign({}, { kid: "' or 1=1 --" })],
  ["a key id longer than any", () => sign({}, { kid: "k".repeat(65) })],
  ["an empty key id", () => sign({}, { kid: "" })],
  ["without key id", () => sign({}, { kid: undefined })],
  ["demands that nobody knows", () => bySegments({ ...header, crit: ["x"], x: 1 }, claims())],
  ["a payload that is not encoded", () => bySegments({ ...header, crit: ["b64"], b64: false }, claims())],
  ["a token in a token", async () => bySegments({ ...header, cty: "JWT" }, await sign())],
  ["a list as payload", () => bySegments(header, [claims()])],
  ["alg NONE in capitals", () => bySegments({ ...header, alg: "NONE" }, claims())],
  ["without algorithm", () => bySegments({ ...header, alg: undefined }, claims())],
  ["encrypted", () => "a.b.c.d.e"],
  ["a refresh token", () => randomBytes(32).toString("base64url")],
  ["without issuer", () => sign({ iss: undefined })],
  ["a list of issuers", () => sign({ iss: [issuer, "https://evil.test"] })],
  ["an issuer with a slash behind", () => sign({ iss: `${issuer}/` })],
  ["without audience", () => sign({ aud: undefined })],
  ["audiences that are all others", () => sign({ aud: ["other", "library2"] })],
  ["issued in the future", () => sign({ iat: now() + 60, exp: now() + 120 })],
  ["times as text", () => sign({ exp: String(now() + 300) })],
  ["a subject that is no text", () => sign({ sub: 7 })],
  ["roles that are no texts", () => sign({ roles: [7] })],
  ["the type of a token for introspection", () => sign({}, { typ: "token-introspection+jwt" })],
  ["the type of a logout token", () => sign({}, { typ: "logout+jwt" })],
  ["cut short", async () => (await sign()).slice(0, -5)],
  [
    "payload of another token",
    async () => {
      const [head, , signature] = (await sign()).split(".");
      return `${head}.${(await sign({ sub: "root" })).split(".")[1]}.${signature}`;
    },
  ],
];

test.each(forgeries)("a forged token is refused: %s", async (_name, forge) => {
  await expect(verify(`Bearer ${await forge()}`)).rejects.toMatchObject({ name: "ServiceError", code: 16 });
});

test("the scheme is Bearer in any spelling, and the right key makes a token of segments good", async () => {
  expect(await verify(`bearer ${await bySegments(header, claims())}`)).toMatchObject({ id: "ann" });
});

test.each([
  "",
  "Bearer",
  "Bearer ",
  "Basic YTpi",
  "Bearer a b",
  "bearer\ta.b.c",
  "Bearer  a.b.c",
  " Bearer a.b.c",
  "Bearer a.b.c ",
  "Bearer a.b.c, Bearer d.e.f",
  "Bearer\u00a0a.b.c",
  "Token a.b.c",
  "a.b.c",
  "Bearer a.b.c\nx: y",
])("not a bearer token: %j", async (value) => {
  await expect(verify(value)).rejects.toMatchObject({ code: 16 });
});

test("a token is not accepted from the cache once it has expired", async () => {
  const authorization = `Bearer ${await sign({ iat: now() - 299, exp: now() + 1 })}`;
  await verify(authorization);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
  try {
    await expect(verify(authorization)).rejects.toMatchObject({ code: 16, reason: "TOKEN_EXPIRED" });
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ["nobody listens", undefined],
  ["not found", { status: 404, body: "{}" }],
  ["not a key set", { status: 200, body: "[]" }],
])("keys that cannot be read are UNAVAILABLE, not a refusal: %s", async (_name, answer) => {
  const server = createServer((_, response) => response.writeHead(answer?.status ?? 500).end(answer?.body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  if (!answer) await new Promise((resolve) => server.close(resolve));
  try {
    const verifier = createUserVerifier({ jwksUrl: `http://127.0.0.1:${port}/`, issuer, audience });
    await expect(verifier(`Bearer ${await sign()}`)).rejects.toMatchObject({ code: 14 });
  } finally {
    server.close();
  }
});

test("a token that was voided is refused, also one that was good before; one issued since is not", async () => {
  const voided = new Map<string, number>();
  const verifier = createUserVerifier({
    jwksUrl: "http://unused.test",
    issuer,
    audience,
    keys: createLocalJWKSet({ keys: [jwk] }),
    revocations: { isRevoked: (user, issuedAt) => issuedAt < (voided.get(user) ?? 0) },
  });
  const authorization = `Bearer ${await sign()}`;
  const other = `Bearer ${await sign({ sub: "bob" })}`;
  await verifier(authorization);
  voided.set("ann", now() + 1);
  const revoked = expect.objectContaining({ code: 16, reason: "TOKEN_REVOKED" });
  await expect((async () => verifier(authorization))()).rejects.toEqual(revoked);
  await expect((async () => verifier(`Bearer ${await sign({ jti: "2" })}`))()).rejects.toEqual(revoked);
  expect(await verifier(other)).toMatchObject({ id: "bob" });
  expect(await verifier(`Bearer ${await sign({ iat: now() + 1, exp: now() + 300 })}`)).toMatchObject({
    id: "ann",
  });
});

/** An issuer's key set that counts how often it is read. */
async function countingIssuer(answer: () => { status: number; body: string }) {
  let reads = 0;
  const server = createServer((_, response) => {
    reads++;
    const { status, body } = answer();
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { verifier: createUserVerifier({ jwksUrl, issuer, audience }), reads: () => reads };
}

const codeOf = async (work: () => unknown) => {
  try {
    await work();
    return "OK";
  } catch (error) {
    return (error as { code: number }).code;
  }
};

test("a storm of unknown key ids reads the keys once, and holders of good tokens do not notice", async () => {
  const { verifier, reads } = await countingIssuer(() => ({
    status: 200,
    body: JSON.stringify({ keys: [jwk] }),
  }));
  const good = `Bearer ${await sign()}`;
  expect(await verifier(good)).toMatchObject({ id: "ann" });
  const storm = await Promise.all(
    Array.from({ length: 300 }, (_, n) => sign({ jti: `${n}` }, { kid: `unknown-${n}` })),
  );
  const codes = await Promise.all(storm.map((token) => codeOf(() => verifier(`Bearer ${token}`))));
  expect(new Set(codes)).toEqual(new Set([16]));
  expect(reads()).toBe(1);
  expect(await verifier(`Bearer ${await sign({ jti: "later" })}`)).toMatchObject({ id: "ann" });
});

test("while keys cannot be read, a flood of tokens asks once a second, and the first good answer ends it", async () => {
  let up = false;
  const { verifier, reads } = await countingIssuer(() =>
    up ? { status: 200, body: JSON.stringify({ keys: [jwk] }) } : { status: 503, body: "" },
  );
  const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => sign({ jti: `${n}` })));
  for (const token of flood) expect(await codeOf(() => verifier(`Bearer ${token}`))).toBe(14);
  expect(reads()).toBeLessThanOrEqual(2);
  up = true;
  await vi.waitFor(async () => expect(await codeOf(() => verifier(`Bearer ${flood[0]}`))).toBe("OK"), {
    timeout: 5_000,
  });
});
