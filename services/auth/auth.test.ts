/** Accounts through the contract: registering, signing in, and what an access token says. */
import { Code, ConnectError } from "@connectrpc/connect";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BadRequestSchema } from "#gen/google/rpc/error_details_pb.ts";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { auth } from "./service.ts";

const password = "three blind mice";
let served: Served;
beforeAll(async () => {
  served = await serve([auth], {
    env: { WEFT_TOKEN_ISSUER: "https://shop.test", WEFT_TOKEN_AUDIENCE: "shop" },
  });
});
afterAll(() => served?.stop());

const client = () => served.client(AuthService);

/** Registers somebody new. */
async function someone() {
  const email = `${crypto.randomUUID()}@example.com`;
  return client().register({ email, password, displayName: "Someone" });
}

/** Code, reason and fields of a refusal. */
async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => expect.unreachable("the call must be refused"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const fields = error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
  return { code: error.code, reason: reasonOf(error), fields: fields.map(({ field }) => field) };
}

async function query(sql: string, values: unknown[]) {
  const database = new Client({ connectionString: served.database("auth") });
  await database.connect();
  try {
    return (await database.query(sql, values)).rows;
  } finally {
    await database.end();
  }
}

test("whoever registers may sign in, in any spelling of the address", async () => {
  const email = `Ann-${crypto.randomUUID()}@Example.com`;
  const account = await client().register({ email, password });
  expect(account.email).toBe(email.toLowerCase());
  expect(account.userId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  const tokens = await client().login({ email: email.toUpperCase(), password });
  expect(tokens).toMatchObject({ tokenType: "Bearer", expiresIn: 300 });
  expect(Buffer.from(tokens.refreshToken, "base64url")).toHaveLength(32);
});

test("a registration is told once, with the account, without the password", async () => {
  const { userId } = await someone();
  const events = await query("select type, payload, headers from outbox where key = $1", [userId]);
  expect(events).toMatchObject([{ type: "shop.auth.v1.UserRegistered" }]);
  expect(events[0].payload.toString("latin1")).not.toContain(password);
  const [{ password_hash: hash }] = await query("select password_hash from accounts where id = $1", [userId]);
  expect(hash).toMatch(/^\$argon2id\$/);
});

test("an address that is taken is refused in any spelling, and nothing is told", async () => {
  const { email, userId } = await someone();
  const again = client().register({ email: email.toUpperCase(), password });
  expect(await refusal(again)).toEqual({
    code: Code.AlreadyExists,
    reason: "EMAIL_TAKEN",
    fields: ["email"],
  });
  expect(await query("select 1 from outbox where key = $1", [userId])).toHaveLength(1);
});

test("of many who register one address at the same time, one gets it", async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => client().register({ email, password })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const result of results)
    if (result.status === "rejected") expect(reasonOf(result.reason)).toBe("EMAIL_TAKEN");
  expect(await query("select 1 from accounts where email = $1", [email])).toHaveLength(1);
});

test("a common password is refused by name of the field", async () => {
  const call = client().register({ email: "new@example.com", password: "Password123" });
  expect(await refusal(call)).toEqual({
    code: Code.InvalidArgument,
    reason: "PASSWORD_TOO_COMMON",
    fields: ["password"],
  });
});

test.each([
  ["email", { email: "nobody", password }],
  ["email", { email: `${"x".repeat(250)}@example.com`, password }],
  ["password", { email: "new@example.com", password: "short" }],
  ["password", { email: "new@example.com", password: "x".repeat(129) }],
  ["display_name", { email: "new@example.com", password, displayName: "x".repeat(101) }],
])("a registration with a wrong %s names the field", async (field, request) => {
  expect(await refusal(client().register(request))).toMatchObject({
    code: Code.InvalidArgument,
    fields: [field],
  });
});

test("a text that no table can hold is refused by name of the field", async () => {
  const registration = client().register({ email: "new@example.com", password, displayName: "a\0b" });
  expect(await refusal(registration)).toMatchObject({ code: Code.InvalidArgument, fields: ["display_name"] });
  const login = client().login({ email: "new\0@example.com", password });
  expect(await refusal(login)).toMatchObject({ code: Code.InvalidArgument, fields: ["email"] });
});

test("a wrong password and an unknown address get the same answer", async () => {
  const { email } = await someone();
  const wrong = await client().login({ email, password: "wrong" }).catch(ConnectError.from);
  const unknown = await client().login({ email: "nobody@example.com", password }).catch(ConnectError.from);
  expect(wrong).toMatchObject({ code: Code.Unauthenticated });
  expect(reasonOf(wrong)).toBe("CREDENTIALS_WRONG");
  const { code, rawMessage, details } = wrong as ConnectError;
  expect(unknown).toMatchObject({ code, rawMessage, details });
});

test("an access token says what RFC 9068 asks for, and the published keys verify it", async () => {
  const { email, userId } = await someone();
  const { accessToken } = await client().login({ email, password });
  const { keys } = await client().getJwks({});
  const { payload } = await jwtVerify(accessToken, createLocalJWKSet({ keys: [...keys] }), {
    algorithms: ["EdDSA"],
    typ: "at+jwt",
    issuer: "https://shop.test",
    audience: "shop",
    subject: userId,
    requiredClaims: ["client_id", "jti", "iat", "exp"],
  });
  expect(payload.roles).toEqual(["customer"]);
  expect((payload.exp as number) - (payload.iat as number)).toBe(300);
  expect(keys.map(({ kid }) => kid)).toContain(decodeProtectedHeader(accessToken).kid);
  expect(accessToken.length).toBeLessThan(4_096);
});

test("services accept an access token, and its owner only as who they are", async () => {
  const { email, userId } = await someone();
  const { accessToken } = await client().login({ email, password });
  const { keys } = await client().getJwks({});
  const verify = (audience: string) =>
    createUserVerifier({
      jwksUrl: "http://127.0.0.1:1/unused",
      issuer: "https://shop.test",
      audience,
      keys: createLocalJWKSet({ keys: [...keys] }),
    })(`Bearer ${accessToken}`);
  expect(await verify("shop")).toEqual({ id: userId, roles: ["customer"], clientId: "shop" });
  await expect(verify("elsewhere")).rejects.toMatchObject({ code: Code.Unauthenticated });
});

test("only public halves of keys are published", async () => {
  const { keys } = await client().getJwks({});
  for (const { $typeName: _, ...key } of keys) {
    expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
    expect(key).toMatchObject({ kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig" });
  }
});
