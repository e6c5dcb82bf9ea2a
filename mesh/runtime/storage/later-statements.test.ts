import { defineEntity, p } from "@mikro-orm/core";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import pg from "pg";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { freshDatabase } from "../../../test/system/fresh.ts";
import { createLogger } from "../telemetry/log.ts";
import { openDatabase, preparePool } from "./database.ts";
import { runLater } from "./later-statements.ts";
import { sqlStateOf } from "./sql-state.ts";
import { inTransaction } from "./transaction.ts";

const Note = defineEntity({
  name: "Note",
  tableName: "notes",
  properties: { id: p.integer().primary(), text: p.text() },
});
let url: string;
let orm: MikroORM;

beforeEach(async () => {
  url = await freshDatabase("later");
  orm = await openDatabase(url, { entities: [Note], migrations: [] }, createLogger("later", "silent"));
  await orm.em.execute("create table notes (id integer primary key, text text not null)");
});

afterEach(() => orm.close(true));

const write = (tx: EntityManager, id: number, text: string) =>
  runLater(tx, "insert into notes (id, text) values (?, ?)", [id, text]);

const notes = () => orm.em.fork().execute<{ id: number; text: string }[]>("select * from notes order by id");

/** Messages that a pool with one connection sends. */
async function messagesOf(work: (client: pg.PoolClient) => Promise<unknown>): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  onTestFinished(() => pool.end());
  const sent: string[] = [];
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      sent.push(String(args[0]));
      return query(...args);
    }) as typeof client.query;
  });
  preparePool(pool);
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release();
  }
  return sent;
}

test("a transaction needs as many messages as it waits for answers", async () => {
  const sent = await messagesOf(async (client) => {
    await client.query("begin");
    await client.query("/* later */ set local statement_timeout = 1000");
    const { rows } = await client.query("select 1 as one");
    expect(rows).toEqual([{ one: 1 }]);
    await client.query("/* later */ insert into notes values (1, 'a')");
    await client.query("commit");
  });
  expect(sent.map((text) => text.split(";\n").length)).toEqual([3, 2]);
  expect(await notes()).toEqual([{ id: 1, text: "a" }]);
});

test("a transaction that asked for nothing sends nothing", async () => {
  const sent = await messagesOf(async (client) => {
    for (const end of ["commit", "rollback"]) {
      await client.query("begin");
      await client.query(end);
    }
  });
  expect(sent).toEqual([]);
});

test("statements with parameters of their own come after those that wait", async () => {
  await messagesOf(async (client) => {
    await client.query("begin");
    await client.query("/* later */ insert into notes values (1, 'a')");
    const { rows } = await client.query("select text from notes where id = $1", [1]);
    expect(rows).toEqual([{ text: "a" }]);
    await client.query("rollback");
  });
  expect(await notes()).toEqual([]);
});

test("what waits is seen by the statement that takes it along, and is committed", async () => {
  const seen = await inTransaction(orm, async (tx) => {
    await write(tx, 1, 'it\'s ? a \\ "note"; drop table notes; -- $1');
    return tx.execute<{ text: string }[]>("select text from notes");
  });
  await inTransaction(orm, (tx) => write(tx, 2, "b"));
  expect(seen).toEqual([{ text: 'it\'s ? a \\ "note"; drop table notes; -- $1' }]);
  expect((await notes()).map(({ id }) => id)).toEqual([1, 2]);
});

test("what waits is not committed when the work fails", async () => {
  const failing = inTransaction(orm, async (tx) => {
    await write(tx, 1, "a");
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await notes()).toEqual([]);
});

test("a statement that fails at the commit undoes the whole transaction, and the connection is good again", async () => {
  await inTransaction(orm, (tx) => write(tx, 1, "a"));
  const failing = orm.em.fork().transactional(async (tx) => {
    await tx.execute("insert into notes values (2, 'b')");
    await write(tx, 1, "again");
  });
  expect(sqlStateOf(await failing.catch((error) => error))).toBe("23505");
  expect((await notes()).map(({ id }) => id)).toEqual([1]);
});

test("a statement that fails on its way fails the one that takes it along", async () => {
  const failing = orm.em.fork().transactional(async (tx) => {
    await runLater(tx, "insert into notes values (1, null)");
    await tx.execute("select 1");
  });
  expect(sqlStateOf(await failing.catch((error) => error))).toBe("23502");
  expect(await notes()).toEqual([]);
});

test("a connection that is given back in the midst of a transaction takes nothing with it", async () => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  onTestFinished(() => pool.end());
  preparePool(pool);
  const abandoned = await pool.connect();
  await abandoned.query("begin");
  await abandoned.query("/* later */ insert into notes values (1, 'a')");
  abandoned.release();
  const { rows } = await pool.query("select count(*)::int as count from notes");
  expect(rows).toEqual([{ count: 0 }]);
  expect(await notes()).toEqual([]);
});

test("a statement cannot wait for a transaction that is not there", async () => {
  await expect(write(orm.em.fork(), 1, "a")).rejects.toThrow("needs a transaction");
});
