/** Sessions through the contract: how they go on and how they end. */
import { Code, ConnectError } from "@connectrpc/connect";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { auth } from "./service.ts";

const password = "three blind mice";
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
const refresh = (refreshToken: string) => client().refresh({ refreshToken });

/** A new user, with a function that starts a session and gives its refresh token. */
async function someone() {
  const email = `${crypto.randomUUID()}@example.com`;
  const { userId } = await client().register({ email, password });
  const user = { id: userId, roles: ["customer"] };
  return {
    id: userId,
    signIn: async () => (await client().login({ email, password })).refreshToken,
    signOut: (refreshToken = "") => served.client(AuthService, { user }).logout({ refreshToken }),
  };
}

/** "ok", or the reason why a refresh token was refused. */
async function outcomeOf(refreshToken: string): Promise<string | undefined> {
  try {
    await refresh(refreshToken);
    return "ok";
  } catch (error) {
    expect(ConnectError.from(error).code).toBe(Code.Unauthenticated);
    return reasonOf(error);
  }
}

test("a session goes on with a new token each time", async () => {
  let token = await (await someone()).signIn();
  for (let turn = 0; turn < 3; turn++) {
    const next = await refresh(token);
    expect(next).toMatchObject({ tokenType: "Bearer", expiresIn: 300 });
    expect(next.refreshToken).not.toBe(token);
    token = next.refreshToken;
  }
});

test("a token that is shown twice ends its session for both who hold it", async () => {
  const { signIn } = await someone();
  const [stolen, other] = [await signIn(), await signIn()];
  const { refreshToken } = await refresh(stolen);
  expect(await outcomeOf(stolen)).toBe("REFRESH_TOKEN_REUSED");
  expect(await outcomeOf(refreshToken)).toBe("REFRESH_TOKEN_INVALID");
  expect(await outcomeOf(stolen)).toBe("REFRESH_TOKEN_REUSED");
  expect(await outcomeOf(other)).toBe("ok");
});

test("an old token ends the session however many came after it", async () => {
  const first = await (await someone()).signIn();
  const second = (await refresh(first)).refreshToken;
  const third = (await refresh(second)).refreshToken;
  expect(await outcomeOf(first)).toBe("REFRESH_TOKEN_REUSED");
  expect(await outcomeOf(third)).toBe("REFRESH_TOKEN_INVALID");
});

test("of twenty uses at the same time one succeeds, and the session is over", async () => {
  const token = await (await someone()).signIn();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => refresh(token)));
  const won = results.filter((result) => result.status === "fulfilled");
  expect(won).toHaveLength(1);
  expect(await outcomeOf(won[0]?.value.refreshToken as string)).toBe("REFRESH_TOKEN_INVALID");
});

test("a token that nobody issued is refused", async () => {
  expect(await outcomeOf("nonsense")).toBe("REFRESH_TOKEN_INVALID");
});

test("a token that was not used for seven days is refused", async () => {
  const { id, signIn } = await someone();
  const token = await signIn();
  const rest = await database.query(
    "select expires_at - now() > '6 days 23 hours' as long from sessions where user_id = $1",
    [id],
  );
  expect(rest.rows).toEqual([{ long: true }]);
  await database.query("update sessions set expires_at = now() where user_id = $1", [id]);
  expect(await outcomeOf(token)).toBe("REFRESH_TOKEN_INVALID");
});

test("use does not prolong a session beyond thirty days", async () => {
  const { id, signIn } = await someone();
  const token = await signIn();
  await database.query("update sessions set started_at = now() - interval '29 days' where user_id = $1", [
    id,
  ]);
  await refresh(token);
  const { rows } = await database.query(
    "select abs(extract(epoch from expires_at - started_at) - 30 * 86400) < 1 as capped from sessions where user_id = $1",
    [id],
  );
  expect(rows).toEqual([{ capped: true }]);
});

test("tokens are stored as hashes only", async () => {
  const token = await (await someone()).signIn();
  const { rows } = await database.query("select count(*)::int from refresh_tokens where hash = $1", [token]);
  expect(rows).toEqual([{ count: 0 }]);
});

test("a role that was taken away is not in the next access token", async () => {
  const { id, signIn } = await someone();
  const token = await signIn();
  await database.query(`update accounts set roles = '["reader"]' where id = $1`, [id]);
  const { accessToken } = await refresh(token);
  const claims = JSON.parse(Buffer.from(accessToken.split(".")[1] as string, "base64url").toString());
  expect(claims.roles).toEqual(["reader"]);
});

test("signing out with a token ends its session and no other", async () => {
  const { signIn, signOut } = await someone();
  const [here, there] = [await signIn(), await signIn()];
  await signOut(here);
  await signOut(here);
  expect(await outcomeOf(here)).toBe("REFRESH_TOKEN_INVALID");
  expect(await outcomeOf(there)).toBe("ok");
});

test("signing out without a token ends all sessions of the user and nobody else's", async () => {
  const [ann, bob] = [await someone(), await someone()];
  const [here, there, bobs] = [await ann.signIn(), await ann.signIn(), await bob.signIn()];
  await ann.signOut();
  expect(await outcomeOf(here)).toBe("REFRESH_TOKEN_INVALID");
  expect(await outcomeOf(there)).toBe("REFRESH_TOKEN_INVALID");
  expect(await outcomeOf(bobs)).toBe("ok");
});

test("somebody else's token signs nobody out and says nothing", async () => {
  const [ann, bob] = [await someone(), await someone()];
  const [anns, bobs] = [await ann.signIn(), await bob.signIn()];
  const answers = [await bob.signOut(anns), await bob.signOut("nonsense"), await bob.signOut(bobs)];
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await outcomeOf(anns)).toBe("ok");
});

test("signing out needs an access token", async () => {
  await expect(client().logout({})).rejects.toMatchObject({ code: Code.Unauthenticated });
});
