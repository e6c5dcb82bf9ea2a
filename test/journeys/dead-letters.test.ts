/** `npm run weft -- dlq` against the shop as it runs, found by its data folder. */
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { expect, test } from "vitest";
import { ensurePasswords } from "#local/passwords.ts";
import { theShop } from "../system/the-shop.ts";
import { eventually } from "./customer.ts";

const shop = theShop();
const root = resolve(import.meta.dirname, "../..");

/** Runs the tool in a process of its own. */
async function weft(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = [
    join(root, "bootstrap.mjs"),
    "run",
    join(root, "cli/main.ts"),
    ...args,
    "--data",
    shop.dataDir,
  ];
  return promisify(execFile)(process.execPath, command).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    ({ code, stdout, stderr }) => ({ code, out: stdout, err: stderr }),
  );
}

/** An event in auth's outbox whose body is none: its readers give it up at once. */
async function recordRubbish(key: string): Promise<void> {
  const password = ensurePasswords(shop.dataDir, ["database/auth"])("database/auth");
  const client = new pg.Client({
    ...{ host: "127.0.0.1", port: shop.servicePort("postgres") },
    ...{ user: "weft_auth", database: "weft_auth", password },
  });
  await client.connect();
  await client.query(
    `insert into outbox (id, type, subject, stream, key, payload, headers, partition, created_at)
     values ($1, 'shop.auth.v1.UserRegistered', 'shop.auth.v1.user_registered', 'SHOP_AUTH_V1', $2, '\\xff', '{}', 0, now())`,
    [uuidv7(), key],
  );
  await client.end();
}

test("an event nobody can read is found in each of its readers, cannot be replayed, and is dropped", async () => {
  const key = uuidv7();
  await recordRubbish(key);
  const found = await eventually("a dead letter in each reader", async () => {
    const { out } = await weft("dlq", "list", "--json");
    const lines = out.split("\n").filter(Boolean);
    const mine = lines.map((line) => JSON.parse(line)).filter((letter) => letter.key === key);
    return mine.length === 2 && mine;
  });
  expect(found.map(({ consumer }) => consumer).toSorted()).toEqual([
    "email__user_registered",
    "user__user_registered",
  ]);
  for (const { id } of found) {
    expect((await weft("dlq", "show", id)).out).toContain("the body is not a shop.auth.v1.UserRegistered");
    expect(await weft("dlq", "replay", id)).toMatchObject({
      code: 1,
      err: expect.stringContaining("0 of 1"),
    });
    expect(await weft("dlq", "drop", id)).toMatchObject({ code: 0 });
  }
  expect((await weft("dlq", "list", "--json")).out).not.toContain(key);
});
