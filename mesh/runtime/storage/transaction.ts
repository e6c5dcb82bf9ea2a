import { Code, ConnectError } from "@connectrpc/connect";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "../failpoint.ts";
import { currentContext } from "../telemetry/context.ts";
import { statementTimeoutMs } from "./database.ts";
import { runLater } from "./later-statements.ts";
import { sqlStateOf } from "./sql-state.ts";

const attempts = 4;

/**
 * States after which the whole transaction is worth another run: serialization failure, deadlock,
 * and a unique violation, where a concurrent writer was first and its row will be seen this time.
 */
const worthAnotherRun: ReadonlySet<string> = new Set(["40001", "40P01", "23505"]);

/**
 * Runs `work` in a READ COMMITTED transaction of its own and commits. `work` may run more than once
 * and must touch nothing but `tx`. Within a request, no statement outlives the request's deadline.
 *
 * @throws ConnectError DEADLINE_EXCEEDED when the deadline has passed already
 * @throws whatever `work` or the database throws, after a rollback
 */
export async function inTransaction<T>(orm: MikroORM, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await orm.em.fork().transactional(async (tx) => {
        await cutStatements(tx);
        const done = await work(tx);
        failpoint("transaction.commit.before");
        return done;
      });
      failpoint("transaction.commit.after");
      return result;
    } catch (error) {
      if (attempt >= attempts || !worthAnotherRun.has(sqlStateOf(error) ?? "")) throw error;
    }
  }
}

/** The database ends statements itself, and gives their locks back, when nobody waits for them any more. */
async function cutStatements(tx: EntityManager): Promise<void> {
  const deadline = currentContext()?.deadline;
  if (deadline === undefined) return;
  const left = Math.ceil(deadline - Date.now());
  if (left <= 0) throw new ConnectError("the deadline has passed", Code.DeadlineExceeded);
  if (left < statementTimeoutMs) {
    await runLater(tx, `set local statement_timeout = ${left}`);
  }
}
