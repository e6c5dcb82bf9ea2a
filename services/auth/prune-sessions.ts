import type { MikroORM } from "@mikro-orm/postgresql";

/** How long a session that is over is kept, so that a reuse of its tokens is still called by its name. */
const keepFor = "1 day";
/** Rows deleted by one statement, so that none holds locks for long. */
const batch = 1_000;

/**
 * Forgets sessions that are over, and their refresh tokens with them.
 * @returns how many sessions went
 */
export async function pruneSessions(orm: MikroORM): Promise<number> {
  for (let pruned = 0; ; ) {
    const { affectedRows } = await orm.em.fork().execute<{ affectedRows: number }>(
      `delete from sessions where id in (
         select id from sessions where least(expires_at, ended_at) < now() - interval '${keepFor}'
         limit ${batch} for update skip locked
       )`,
      [],
      "run",
    );
    pruned += affectedRows;
    if (affectedRows < batch) return pruned;
  }
}
