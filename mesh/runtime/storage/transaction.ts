import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "../failpoint.ts";
import { sqlStateOf } from "./sql-state.ts";

const attempts = 4;

/**
 * States after which the whole transaction is worth another run: serialization failure, deadlock,
 * and a unique violation, where a concurrent writer was first and its row will be seen this time.
 */
const worthAnotherRun: ReadonlySet<string> = new Set(["40001", "40P01", "23505"]);

/**
 * Runs `work` in a READ COMMITTED transaction of its own and commits. `work` may run more than once
 * and must touch nothing but `tx`.
 *
 * @throws whatever `work` or the database throws, after a rollback
 */
export async function inTransaction<T>(orm: MikroORM, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await orm.em.fork().transactional(async (tx) => {
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
