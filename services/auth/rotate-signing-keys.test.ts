import { afterAll, beforeEach, expect, test } from "vitest";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import { createAccessTokens } from "./access-token.ts";
import { createKeyring } from "./keyring.ts";
import { rotateSigningKeys } from "./rotate-signing-keys.ts";
import { storage } from "./storage.ts";

type Database = Awaited<ReturnType<typeof openDatabase>>;

const minute = 60_000;
const day = 24 * 60 * minute;
const log = createLogger("auth", "silent");
const opened: Database[] = [];
let orm: Database;

async function open(url: string): Promise<Database> {
  const database = await openDatabase(url, storage, log);
  opened.push(database);
  return database;
}
beforeEach(async () => {
  orm = await open(await freshDatabase("auth"));
});
afterAll(() => Promise.all(opened.map((database) => database.close())));

const ago = (ms: number) => new Date(Date.now() - ms);
const kids = (keys: { kid: string }[]) => keys.map(({ kid }) => kid).sort();

test("replicas that start together agree on one key", async () => {
  const url = await freshDatabase("auth");
  const replicas = [await open(url), await open(url), await open(url)];
  const signing = await Promise.all(replicas.map((replica) => createKeyring(replica).signing()));
  expect(new Set(signing.map(({ kid }) => kid)).size).toBe(1);
});

test("a key is rotated once, however many replicas try", async () => {
  await rotateSigningKeys(orm, ago(29 * day));
  const rounds = await Promise.all(Array.from({ length: 4 }, () => rotateSigningKeys(orm)));
  for (const keys of rounds) expect(keys).toHaveLength(2);
  expect(new Set(rounds.flat().map(({ kid }) => kid)).size).toBe(2);
});

test("a new key is published a day before it signs", async () => {
  const [first] = await rotateSigningKeys(orm, ago(29 * day));
  const now = new Date();
  const next = (await rotateSigningKeys(orm, now)).find(({ kid }) => kid !== first?.kid);
  expect(next?.activatesAt).toEqual(new Date(now.getTime() + day));
  const keyring = createKeyring(orm);
  expect((await keyring.signing()).kid).toBe(first?.kid);
  expect(kids(await keyring.published())).toEqual([first?.kid, next?.kid].sort());
});

test("a key that has stopped signing is published until its tokens have expired", async () => {
  const [first] = await rotateSigningKeys(orm, ago(40 * day));
  const keys = await rotateSigningKeys(orm, ago(day + 5 * minute));
  const keyring = createKeyring(orm);
  expect((await keyring.signing()).kid).not.toBe(first?.kid);
  expect(kids(await keyring.published())).toEqual(kids(keys));
});

test("a key whose tokens have all expired is neither published nor kept", async () => {
  const [first] = await rotateSigningKeys(orm, ago(40 * day));
  await rotateSigningKeys(orm, ago(day + 16 * minute));
  expect(kids(await createKeyring(orm).published())).not.toContain(first?.kid);
  expect(kids(await rotateSigningKeys(orm))).not.toContain(first?.kid);
});

test("a process notices a new key within a minute, and signs with it from its time on", async () => {
  let now = Date.now();
  const keyring = createKeyring(orm, () => now);
  const first = await keyring.signing();
  now += 29 * day;
  await rotateSigningKeys(orm, new Date(now));
  now += minute;
  expect(await keyring.published()).toHaveLength(2);
  expect((await keyring.signing()).kid).toBe(first.kid);
  now += day;
  expect((await keyring.signing()).kid).not.toBe(first.kid);
});

test("keys are published while they cannot be read from the database", async () => {
  let now = Date.now();
  const keyring = createKeyring(orm, () => now);
  const before = await keyring.published();
  await orm.em.execute("alter table signing_keys rename to signing_keys_away");
  now += 2 * minute;
  expect(await keyring.published()).toEqual(before);
});

test("a token that services would refuse for its size is not issued", async () => {
  const tokens = createAccessTokens({ issuer: "https://shop.test", audience: "shop" }, createKeyring(orm));
  const roles = Array.from({ length: 500 }, (_, n) => `role-${n}`);
  await expect(tokens.issue({ id: "reader", roles })).rejects.toThrow("too large");
});
