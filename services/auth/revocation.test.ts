/** Access tokens that end before their time, as other services see them. */
import { Code, ConnectError } from "@connectrpc/connect";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserService } from "#gen/shop/user/v1/user_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { type Served, serve, type TestUser } from "../../test/system/serve.ts";
import { user as userService } from "../user/service.ts";
import { auth } from "./service.ts";

const password = "three blind mice";
const admin = { id: crypto.randomUUID(), roles: ["admin"] };
let served: Served;
let database: Client;
beforeAll(async () => {
  served = await serve([auth, userService]);
  database = new Client({ connectionString: served.database("auth") });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
});

const authClient = (user?: TestUser) => served.client(AuthService, { user });

/** A new user, and whether user (the service) takes a token that was issued before. */
async function someone() {
  const email = `${crypto.randomUUID()}@example.com`;
  const { userId } = await authClient().register({ email, password });
  const user = { id: userId, roles: ["customer"] };
  const old = await served.tokenFor(user);
  const profile = (token: string) => fetchProfile(token);
  return {
    user,
    old,
    login: (with_ = password) => authClient().login({ email, password: with_ }),
    outcome: () => profile(old),
    isOut: () =>
      vi.waitFor(async () => expect(await profile(old)).toBe("TOKEN_REVOKED"), { timeout: 60_000 }),
  };
}

/** "ok", or why the service user refuses the token. */
async function fetchProfile(token: string): Promise<string | undefined> {
  try {
    await served.client(UserService, { token }).getMe({});
    return "ok";
  } catch (error) {
    const { code } = ConnectError.from(error);
    // The profile follows by event; until it is there the token was good.
    if (code === Code.NotFound) return "ok";
    expect(code).toBe(Code.Unauthenticated);
    return reasonOf(error);
  }
}

const reason = (error: unknown) => reasonOf(error);

test("signing out everywhere voids access tokens in every service, and nobody else's", async () => {
  const [ann, bob] = [await someone(), await someone()];
  expect(await ann.outcome()).toBe("ok");
  await authClient(ann.user).logout({});
  await ann.isOut();
  expect(await bob.outcome()).toBe("ok");
  const again = served.client(AuthService, { token: ann.old }).logout({});
  await expect(again, "auth itself").rejects.toMatchObject({ code: Code.Unauthenticated });
});

test("who signs in again right after it gets a token that is good", async () => {
  const ann = await someone();
  await authClient(ann.user).logout({});
  const { accessToken } = await ann.login();
  await ann.isOut();
  const { iat } = JSON.parse(Buffer.from(accessToken.split(".")[1]!, "base64url").toString());
  const again = await served.tokenFor(ann.user, { iat });
  expect(await fetchProfile(again)).toBe("ok");
});

test("signing out of one session leaves the others their tokens", async () => {
  const ann = await someone();
  const { refreshToken } = await ann.login();
  await authClient(ann.user).logout({ refreshToken });
  const { rows } = await database.query("select tokens_void_before from accounts where id = $1", [
    ann.user.id,
  ]);
  expect(rows).toEqual([{ tokens_void_before: null }]);
});

test("a refresh token shown twice voids the access tokens of whoever holds the session, once", async () => {
  const ann = await someone();
  const { refreshToken } = await ann.login();
  await authClient().refresh({ refreshToken });
  await expect(authClient().refresh({ refreshToken })).rejects.toSatisfy(
    (error) => reason(error) === "REFRESH_TOKEN_REUSED",
  );
  await ann.isOut();
  const voided = () => database.query("select tokens_void_before from accounts where id = $1", [ann.user.id]);
  const before = (await voided()).rows;
  await expect(authClient().refresh({ refreshToken })).rejects.toThrow();
  expect((await voided()).rows).toEqual(before);
});

test("a new password needs the old one, ends all sessions and voids access tokens", async () => {
  const ann = await someone();
  const { refreshToken } = await ann.login();
  const change = (currentPassword: string, newPassword: string) =>
    authClient(ann.user).changePassword({ currentPassword, newPassword });
  await expect(change("not the password", "a much better one")).rejects.toSatisfy(
    (error) => reason(error) === "CREDENTIALS_WRONG",
  );
  await expect(change(password, "password1")).rejects.toSatisfy(
    (error) => reason(error) === "PASSWORD_TOO_COMMON",
  );
  expect(await ann.outcome()).toBe("ok");
  await change(password, "a much better one");
  await ann.isOut();
  await expect(authClient().refresh({ refreshToken })).rejects.toSatisfy(
    (error) => reason(error) === "REFRESH_TOKEN_INVALID",
  );
  await expect(ann.login()).rejects.toMatchObject({ code: Code.Unauthenticated });
  await expect(ann.login("a much better one")).resolves.toMatchObject({ tokenType: "Bearer" });
});

test("guesses at the current password are counted like logins", async () => {
  const ann = await someone();
  const guess = () =>
    authClient(ann.user).changePassword({ currentPassword: "guess guess", newPassword: "a much better one" });
  for (let attempt = 0; attempt < 5; attempt++) await expect(guess()).rejects.toThrow();
  await expect(guess()).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test("an admin signs somebody out everywhere, nobody else may, and a user who is not there is not found", async () => {
  const [ann, bob] = [await someone(), await someone()];
  const { refreshToken } = await ann.login();
  await expect(authClient(bob.user).revokeTokens({ userId: ann.user.id })).rejects.toMatchObject({
    code: Code.PermissionDenied,
  });
  await authClient(admin).revokeTokens({ userId: ann.user.id });
  await ann.isOut();
  expect(await bob.outcome()).toBe("ok");
  await expect(authClient().refresh({ refreshToken })).rejects.toMatchObject({ code: Code.Unauthenticated });
  await expect(authClient(admin).revokeTokens({ userId: crypto.randomUUID() })).rejects.toSatisfy(
    (error) => ConnectError.from(error).code === Code.NotFound && reason(error) === "NOT_FOUND",
  );
});

test("what a crash left unannounced is announced", async () => {
  const ann = await someone();
  await database.query(
    "update accounts set tokens_void_before = date_trunc('second', now()) + interval '1 second', revocation_announced = false where id = $1",
    [ann.user.id],
  );
  await ann.isOut();
});
