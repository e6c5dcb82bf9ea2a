/** Guessing passwords: how often, and whom it keeps out. */
import { Code, ConnectError } from "@connectrpc/connect";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RetryInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
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
const address = () => `${crypto.randomUUID()}@example.com`;

async function someone(): Promise<string> {
  const email = address();
  await client().register({ email, password });
  return email;
}

/** Reason of a login's refusal; undefined for success. */
const logIn = async (email: string, tried: string): Promise<string | undefined> =>
  client()
    .login({ email, password: tried })
    .then(() => undefined, reasonOf);

/** Attempts as if they had been made `seconds` earlier. */
const earlier = (seconds: number) =>
  change(
    `minute_at = minute_at - interval '${seconds} seconds', hour_at = hour_at - interval '${seconds} seconds'`,
  );

async function change(columns: string): Promise<void> {
  const database = new Client({ connectionString: served.database("auth") });
  await database.connect();
  await database.query(`update login_attempts set ${columns}`);
  await database.end();
}

const times = <T>(count: number, work: () => Promise<T>) => Promise.all(Array.from({ length: count }, work));
const throttled = (reasons: unknown[]) => reasons.filter((reason) => reason === "LOGIN_THROTTLED").length;

test("the sixth wrong password in a minute is not looked at, and neither is the right one then", async () => {
  const email = await someone();
  for (let i = 0; i < 5; i++) expect(await logIn(email, "wrong")).toBe("CREDENTIALS_WRONG");
  const error = await client().login({ email: email.toUpperCase(), password }).catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.ResourceExhausted });
  expect(reasonOf(error)).toBe("LOGIN_THROTTLED");
  const retry = (error as ConnectError).findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds;
  expect(retry).toBeGreaterThan(0n);
  expect(retry).toBeLessThanOrEqual(12n);
  await earlier(12);
  expect(await logIn(email, password)).toBeUndefined();
});

test("guesses made together count, too", async () => {
  const email = await someone();
  expect(throttled(await times(12, () => logIn(email, "wrong")))).toBe(7);
});

test("an hour sees a hundred wrong passwords, however evenly they come", async () => {
  const email = address();
  await logIn(email, "wrong");
  // As after 98 more, the last of them more than a minute ago.
  await change("minute_at = now(), hour_at = now() + interval '3560 seconds'");
  expect(await logIn(email, "wrong")).toBe("CREDENTIALS_WRONG");
  expect(await logIn(email, "wrong")).toBe("LOGIN_THROTTLED");
  await earlier(36);
  expect(await logIn(email, "wrong")).toBe("CREDENTIALS_WRONG");
});

test("signing in with the right password is not limited", async () => {
  const email = await someone();
  for (let i = 0; i < 12; i++) expect(await logIn(email, password)).toBeUndefined();
});

test("an address without an account is throttled alike", async () => {
  expect(throttled(await times(8, () => logIn("nobody-is-here@example.com", "wrong")))).toBe(3);
});

test("others are not kept out", async () => {
  const [victim, other] = [await someone(), await someone()];
  await times(8, () => logIn(victim, "wrong"));
  expect(await logIn(other, password)).toBeUndefined();
});
