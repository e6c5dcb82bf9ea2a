/** Removes what the event tables need no longer. */
import type { MikroORM } from "@mikro-orm/postgresql";
import { retention } from "./streams.ts";

const batch = 1_000;
/** A message may come again for as long as its stream keeps it; its inbox row must outlive that. */
const inboxRetention = retention + 24 * 60 * 60 * 1_000;
/** A row that has been "retrying" for this long has lost its message: an operator has to look. */
const retryingLimit = 24 * 60 * 60 * 1_000;

/**
 * Deletes published outbox rows after 7 days and inbox rows 8 days after the last delivery, in small
 * batches, and turns failures that nobody retries any more into dead letters. Safe to run concurrently.
 */
export async function pruneEventTables(orm: MikroORM): Promise<void> {
  const em = orm.em.fork();
  const streams = await em.execute<{ stream: string }[]>("select stream from outbox_streams");
  for (const { stream } of streams) {
    // Sequences grow with time: the lowest ones tell whether there is anything to delete.
    await repeat(() =>
      em.execute(
        `delete from outbox where published_at < now() - ? * interval '1 ms' and id in (
           select id from outbox where stream = ? and published_at is not null order by stream_sequence limit ?
         )`,
        [retention, stream, batch],
        "run",
      ),
    );
  }
  await repeat(() =>
    em.execute(
      `delete from inbox where (consumer, event_id) in (
         select consumer, event_id from inbox where seen_at < now() - ? * interval '1 ms' order by seen_at limit ?
       )`,
      [inboxRetention, batch],
      "run",
    ),
  );
  await em.execute(
    `update dead_letters set state = 'open', dead_at = now()
     where state = 'retrying' and last_failed_at < now() - ? * interval '1 ms'`,
    [retryingLimit],
  );
}

async function repeat(remove: () => Promise<{ affectedRows: number }>): Promise<void> {
  let removed: number;
  do {
    removed = (await remove()).affectedRows;
  } while (removed === batch);
}
