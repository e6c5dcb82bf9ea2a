import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createLocalJWKSet } from "jose";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  audience,
  bySegments,
  claims,
  forgeries,
  header,
  issuer,
  jwk,
  now,
  sign,
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
  const authorization = `Bearer ${await sign({ iat: now() - 200, exp: now() + 100 })}`;
  await verify(authorization);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 110_000 });
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
  const began = performance.now();
  for (const token of flood) expect(await codeOf(() => verifier(`Bearer ${token}`))).toBe(14);
  expect(reads()).toBeLessThanOrEqual(2 + (performance.now() - began) / 1_000);
  up = true;
  await vi.waitFor(async () => expect(await codeOf(() => verifier(`Bearer ${flood[0]}`))).toBe("OK"), {
    timeout: 60_000,
  });
});

test("keys that were read count for an hour while they cannot be read again, and nobody waits for that", async () => {
  let up = true;
  const { verifier, reads } = await countingIssuer(() =>
    up ? { status: 200, body: JSON.stringify({ keys: [jwk] }) } : { status: 503, body: "" },
  );
  const startedAt = Date.now();
  const at = (minutes: number) => vi.setSystemTime(startedAt + minutes * 60_000);
  expect(await verifier(`Bearer ${await sign()}`)).toMatchObject({ id: "ann" });
  up = false;
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    at(11);
    expect(await codeOf(async () => verifier(`Bearer ${await sign({ jti: "11" })}`))).toBe("OK");
    await vi.waitFor(() => expect(reads()).toBe(2));
    expect(await codeOf(async () => verifier(`Bearer ${await sign({ jti: "12" }, { kid: "new" })}`))).toBe(
      14,
    );
    expect(await codeOf(async () => verifier(`Bearer ${await sign({ sub: "" })}`))).toBe(16);
    at(75);
    expect(await codeOf(async () => verifier(`Bearer ${await sign({ jti: "75" })}`))).toBe(14);
  } finally {
    vi.useRealTimers();
  }
});
