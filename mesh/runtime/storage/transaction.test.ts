import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { expect, test } from "vitest";
import { libraryDatabase } from "../events/testdata/library-service.ts";
import { contextFromHeaders, runInContext } from "../telemetry/context.ts";
import { sqlStateOf } from "./sql-state.ts";
import { inTransaction } from "./transaction.ts";

/** SQLSTATE of a statement that was cut off. */
const canceled = "57014";

const within = <T>(ms: number, work: () => Promise<T>) =>
  runInContext(contextFromHeaders({}, { deadline: Date.now() + ms }), work);

const timeoutOf = async (orm: MikroORM) => {
  const [row] = await inTransaction(orm, (tx) => tx.execute("show statement_timeout"));
  return (row as { statement_timeout: string }).statement_timeout;
};

test("a statement ends with the deadline of the request that it is for", async () => {
  const { orm } = await libraryDatabase();
  const sleep = within(2_000, () => inTransaction(orm, (tx) => tx.execute("select pg_sleep(50)")));
  expect(sqlStateOf(await sleep.catch((error) => error))).toBe(canceled);
  // The limit was the transaction's, not the connection's.
  expect(await timeoutOf(orm)).toBe("1min");
});

test("a later deadline, or none, leaves the limit of the pool", async () => {
  const { orm } = await libraryDatabase();
  expect(await within(600_000, () => timeoutOf(orm))).toBe("1min");
  expect(await timeoutOf(orm)).toBe("1min");
});

test("nothing is begun after the deadline", async () => {
  const { orm } = await libraryDatabase();
  let begun = false;
  const late = within(-1, () =>
    inTransaction(orm, async () => {
      begun = true;
    }),
  );
  await expect(late).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect(begun).toBe(false);
});
