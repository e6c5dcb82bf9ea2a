/** The tool against running services, as its user meets it. */
import { inspect } from "node:util";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { user } from "../services/user/service.ts";
import { producer } from "../test/system/producer.ts";
import { type Served, serve } from "../test/system/serve.ts";
import { commands } from "./commands.ts";
import { runCommandLine } from "./run-command-line.ts";

const auth = producer(AuthService, [UserRegisteredSchema]);
let served: Served;
let database: pg.Client;
beforeAll(async () => {
  served = await serve([auth.definition, user]);
  database = new pg.Client({ connectionString: served.database("user") });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
});

/** Runs the tool. */
async function weft(line: string, env = served.operatorEnvironment()) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env };
  const code = await runCommandLine(commands, line.split(" ").filter(Boolean), io);
  return {
    code,
    out: out.join("\n"),
    err: err.join("\n"),
    objects: () => out.map((text) => JSON.parse(text)),
  };
}

/** Registrations that the service user cannot handle for now, as dead letters. @returns their ids, newest first */
async function deadLetters(count: number): Promise<string[]> {
  await database.query("alter table profiles rename to profiles_away");
  const events = Array.from({ length: count }, () => ({ userId: uuidv7(), email: "ann@example.com" }));
  for (const event of events) await auth.record(UserRegisteredSchema, event);
  const listed = async () => (await weft("dlq list --state retrying --json")).objects();
  await expect.poll(async () => (await listed()).length).toBe(count);
  // Nothing may deliver them once more: nobody reads them now, and none are left for when somebody does.
  await served.end("user");
  await purge("SHOP_AUTH_V1");
  await database.query("update dead_letters set state = 'open', dead_at = now() where state = 'retrying'");
  await database.query("alter table profiles_away rename to profiles");
  await served.start(user);
  return (await weft("dlq list --json")).objects().map(({ id }) => id as string);
}

async function purge(stream: string): Promise<void> {
  const { host, username, password } = new URL(served.natsUrl);
  const nats = await connect({ servers: host, user: username, pass: decodeURIComponent(password) });
  await (await jetstreamManager(nats)).streams.purge(stream);
  await nats.close();
}

const profiles = async () => (await database.query("select from profiles")).rowCount;

test("open dead letters are listed, shown, replayed one by one and all at once", async () => {
  const before = (await profiles()) as number;
  const ids = await deadLetters(3);
  expect(ids).toHaveLength(3);
  const list = await weft("dlq list --service user");
  expect(list.out.split("\n")).toHaveLength(4);
  expect(list.out).toMatch(/^ID +STATE +CONSUMER/);
  expect(list.out).toContain("user__user_registered");

  const shown = await weft(`dlq show ${ids[0]}`);
  expect(shown.out).toContain("shop.auth.v1.UserRegistered");
  expect(shown.out).toContain('"email": "[redacted]"');
  expect(shown.out).not.toContain("ann@example.com");
  expect(shown.out).toContain("SQLSTATE 42P01");

  const one = await weft(`dlq replay ${ids[0]} --actor ann --json`);
  expect(one.code, inspect(one)).toBe(0);
  expect(one.objects()).toMatchObject([{ id: ids[0], service: "user", state: "REPLAYED", settledBy: "ann" }]);
  expect(await profiles()).toBe(before + 1);
  const again = await weft(`dlq replay ${ids[0]} --actor bob --json`);
  expect(again.objects()).toMatchObject([{ state: "REPLAYED", settledBy: "ann" }]);

  const all = await weft("dlq replay --all --actor ann");
  expect(all).toMatchObject({ code: 0, err: "2 of 2 replayed" });
  expect(await profiles()).toBe(before + 3);
  expect(await weft("dlq list")).toMatchObject({ code: 0, out: "", err: "no dead letters are open" });
});

test("a dropped one cannot be replayed: the tool says why and fails, and goes on with the others", async () => {
  const [first, second] = await deadLetters(2);
  expect(await weft(`dlq drop ${first}`)).toMatchObject({ code: 0, err: "1 of 1 dropped" });
  const replay = await weft(`dlq replay ${first} ${second}`);
  expect(replay.code).toBe(1);
  expect(replay.err).toContain(`${first}: the dead letter is dropped`);
  expect(replay.err).toContain("1 of 2 replayed");
  expect((await weft("dlq list --state dropped --json")).objects().map(({ id }) => id)).toContain(first);
});

test.each([
  ["", 0, ""],
  ["help dlq", 0, ""],
  ["dlq --help", 0, ""],
  ["nonsense", 2, 'there is no command "nonsense"'],
  ["dlq", 2, "say what to do"],
  ["dlq eat", 2, 'there is no "dlq eat"'],
  ["dlq list --state lost", 2, "--state must be one of"],
  ["dlq list --service cellar", 2, 'there is no service "cellar"'],
  ["dlq list --fast", 2, "--fast"],
  ["dlq show", 2, "name a dead letter"],
  ["dlq show 1", 1, "id"],
])('"weft %s" ends with %i', async (line, code, err) => {
  const result = await weft(line);
  expect(result.code).toBe(code);
  expect(result.err).toContain(err);
  expect(result.err).not.toMatch(/ {4}at /);
  if (code === 0) expect(result.out).toContain("usage:");
});

test("a service that cannot be reached, and a folder where nothing runs, are named", async () => {
  const env = { ...served.operatorEnvironment(), WEFT_UPSTREAMS: "user=http://127.0.0.1:1" };
  expect(await weft("dlq list", env)).toMatchObject({
    code: 1,
    err: expect.stringContaining("user cannot be asked"),
  });
  expect(await weft("dlq list --data /nowhere", {})).toMatchObject({
    code: 1,
    err: expect.stringContaining("nothing runs on the data in /nowhere"),
  });
});
