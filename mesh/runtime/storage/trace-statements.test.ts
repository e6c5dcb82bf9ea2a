import { defineEntity, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { expect, test } from "vitest";
import { freshDatabase } from "../../../test/system/fresh.ts";
import { currentContext, runInContext } from "../telemetry/context.ts";
import { createLogger } from "../telemetry/log.ts";
import type { Span } from "../telemetry/span.ts";
import { Tracer } from "../telemetry/tracer.ts";
import { openDatabase } from "./database.ts";
import { runLater } from "./later-statements.ts";
import { statementType } from "./trace-statements.ts";

const Book = defineEntity({ name: "Book", properties: { id: p.text().primary() } });
const place = { host: "db", port: 5432, database: "library" };

test.each([
  ["select b0.* from \"books\" as b0 where b0.title = 'secret'", "SELECT books"],
  ["select set_config('statement_timeout', $1, true)", "SELECT"],
  ['insert into "public"."books" (title) values (\'secret\')', "INSERT books"],
  ["with claim as (insert into inbox (id) values ($1) returning 1) select 1 from claim", "INSERT inbox"],
  ["update books set title = 'secret' where id in (select id from loans)", "UPDATE books"],
  ["delete from books where title = 'secret'", "DELETE books"],
  ["/* later */ update books set title = 'secret'", "UPDATE books"],
  ["  begin", "BEGIN"],
  ["", "statement"],
])("%s is told as %s", (text, summary) => {
  const type = statementType(text, place);
  expect(type.name).toBe(summary);
  expect(type.attributes).toMatchObject({ "db.system.name": "postgresql", "server.address": "db" });
  expect(JSON.stringify(type)).not.toContain("secret");
});

test("statements of a request are spans of its trace, those of nobody are none", async () => {
  const orm = await openDatabase(
    await freshDatabase("library"),
    { entities: [Book], migrations: [] },
    createLogger("library", "silent"),
  );
  const spans: Span[] = [];
  const context = new Tracer(1, (span) => spans.push(span)).open({});
  await orm.em.execute("select 'nobody'");
  await runInContext(context, async () => {
    await orm.em.fork().transactional((em) => em.execute("select 'secret' as name from pg_class limit 1"));
    const failing = orm.em.fork().execute("select * from nowhere where name = 'secret'");
    await expect(failing).rejects.toThrow();
    expect(currentContext()).toBe(context);
  });
  await orm.close();
  expect(spans.map(({ type, error }) => [type.name, error])).toEqual([
    ["BEGIN", undefined],
    ["SELECT pg_class", undefined],
    ["COMMIT", undefined],
    ["SELECT nowhere", "42P01"],
  ]);
  for (const span of spans) expect(span.parentSpanId).toBe(context.spanId);
  expect(JSON.stringify(spans)).not.toContain("secret");
});

test("a statement that waits for the next has a span until both are answered; what never left has none", async () => {
  const orm = await openDatabase(
    await freshDatabase("library"),
    { entities: [Book], migrations: [] },
    createLogger("library", "silent"),
  );
  const spans: Span[] = [];
  const context = new Tracer(1, (span) => spans.push(span)).open({});
  await runInContext(context, async () => {
    await orm.em.fork().transactional(async () => {});
    await orm.em.fork().transactional(async (em) => {
      await runLater(em as EntityManager, "create table loans (id int)");
      await em.execute("select 1 from pg_class");
    });
    const refused = orm.em.fork().transactional(() => Promise.reject(new Error("not today")));
    await expect(refused).rejects.toThrow();
  });
  await orm.close();
  expect(spans.map(({ type }) => type.name)).toEqual(["BEGIN", "CREATE", "SELECT pg_class", "COMMIT"]);
  const [begin, create, select] = spans;
  expect(begin!.startedAt).toBeLessThanOrEqual(create!.startedAt);
  for (const waiting of [begin!, create!]) expect(waiting.endedAt).toBeGreaterThan(select!.startedAt);
});
