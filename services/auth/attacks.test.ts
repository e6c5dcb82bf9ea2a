/** What strangers try at sign-in: refused with the right code, and nothing is done. */
import { Code, ConnectError } from "@connectrpc/connect";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { auth } from "./service.ts";

let served: Served;
let database: Client;
beforeAll(async () => {
  served = await serve([auth]);
  database = new Client({ connectionString: served.database("auth") });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
});

const client = () => served.client(AuthService);
const address = () => `${crypto.randomUUID()}@example.com`;
const accounts = async () =>
  (await database.query("select count(*)::int as n from accounts")).rows[0].n as number;

/** "ok", or the code and the reason of a refusal. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return `${Code[ConnectError.from(error).code]} ${reasonOf(error)}`;
  }
}

test.each([
  ["of 129 characters", "x".repeat(129)],
  ["of 30 kB", "x".repeat(30_000)],
  ["with a NUL", "long enough\0hidden"],
  ["of seven characters in many bytes", "😀".repeat(7)],
  ["of nothing", ""],
])("a password %s is refused before it is hashed, at registration and at sign-in", async (_, password) => {
  const before = await accounts();
  expect(await outcome(client().register({ email: address(), password }))).toBe(
    "InvalidArgument REQUEST_INVALID",
  );
  const login = await outcome(client().login({ email: address(), password }));
  expect(["InvalidArgument REQUEST_INVALID", "Unauthenticated CREDENTIALS_WRONG"]).toContain(login);
  expect(await accounts()).toBe(before);
});

test.each([
  ["of 128 characters of four bytes", "😀".repeat(128)],
  ["with spaces around", "  correct horse battery  "],
  ["with quotes and semicolons", `'; drop table accounts; --"`],
  ["in another script", "пароль-不是-סיסמה"],
  ["that is composed", "Über-straße-crème"],
])("a password %s is used as given: nothing is cut off, trimmed or folded", async (_, password) => {
  const email = address();
  await client().register({ email, password });
  expect(await outcome(client().login({ email, password }))).toBe("ok");
  const letters = [...password];
  for (const other of [
    letters.slice(0, -1).join(""),
    `x${letters.slice(1).join("")}`,
    `${letters.slice(0, -1).join("")}.`,
  ])
    expect(await outcome(client().login({ email, password: other }))).toBe(
      "Unauthenticated CREDENTIALS_WRONG",
    );
});

test("tokens are good for what they are for: an access token refreshes nothing, a refresh token opens nothing", async () => {
  const email = address();
  const { userId } = await client().register({ email, password: "three blind mice" });
  const { accessToken, refreshToken } = await client().login({ email, password: "three blind mice" });
  const shown = accessToken.slice(0, 512);
  expect(await outcome(client().refresh({ refreshToken: shown }))).toBe(
    "Unauthenticated REFRESH_TOKEN_INVALID",
  );
  const withRefresh = served.client(AuthService, { token: refreshToken });
  expect(await outcome(withRefresh.logout({}))).toBe("Unauthenticated TOKEN_INVALID");
  const { rows } = await database.query("select ended_at from sessions where user_id = $1", [userId]);
  expect(rows).toEqual([{ ended_at: null }]);
});

test.each([
  ["of nothing", "", "InvalidArgument REQUEST_INVALID"],
  ["longer than any", "x".repeat(513), "InvalidArgument REQUEST_INVALID"],
  ["with a NUL", "x\0y", "InvalidArgument REQUEST_INVALID"],
  ["that is SQL", "' or '1'='1", "Unauthenticated REFRESH_TOKEN_INVALID"],
  ["that is a hash as it is stored", "A".repeat(43), "Unauthenticated REFRESH_TOKEN_INVALID"],
])("a refresh token %s is refused", async (_, refreshToken, expected) => {
  expect(await outcome(client().refresh({ refreshToken }))).toBe(expected);
});

test("the stored form of a refresh token is not a token", async () => {
  const email = address();
  const { userId } = await client().register({ email, password: "three blind mice" });
  await client().login({ email, password: "three blind mice" });
  const { rows } = await database.query(
    "select hash from refresh_tokens join sessions on sessions.id = session_id where user_id = $1",
    [userId],
  );
  expect(await outcome(client().refresh({ refreshToken: rows[0].hash }))).toBe(
    "Unauthenticated REFRESH_TOKEN_INVALID",
  );
});

test.each(["signedIn", "admin"])(
  "nobody changes somebody's password without a token (%s)",
  async (method) => {
    const call =
      method === "admin"
        ? client().revokeTokens({ userId: crypto.randomUUID() })
        : client().changePassword({ currentPassword: "three blind mice", newPassword: "four blind mice" });
    expect(await outcome(call)).toBe("Unauthenticated TOKEN_MISSING");
  },
);
