/**
 * DESIGN
 *
 * JetStream acknowledges before it syncs to disk, and its store may be lost or restored from a backup. The
 * outbox keeps rows for as long as the stream keeps events, so it can give back what the stream has lost:
 *
 * - Another instance of the stream (another creation time than the one in outbox_streams): every row goes
 *   out again.
 * - The same instance, but shorter: rows whose sequence lies beyond its last one go out again.
 *
 * Both happen while all partitions are locked, the creation of a missing stream included: nothing newer can
 * get in before the older rows. Readers' inboxes drop what they have handled.
 */
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import type { Bus, EventLog } from "./bus.ts";
import type { EventContract } from "./event-contract.ts";
import { lockAllPartitions } from "./publish-round.ts";
import { ensureStream, findStream, type StreamSize } from "./streams.ts";

type StreamOf = Pick<EventContract, "stream" | "streamSubjects">;

/**
 * Makes sure that the stream exists, has the right settings, and holds or will hold again every row that was
 * published to it.
 *
 * @returns the stream's creation time, which names its instance, and how many rows will go out again.
 * @throws what the server or the database answers; nothing is changed then, and trying again is safe.
 */
export async function recoverStream(
  { orm, bus, log, size }: { orm: MikroORM; bus: Bus; log: EventLog; size?: StreamSize },
  contract: StreamOf,
): Promise<{ created: string; lost: number }> {
  const { stream } = contract;
  return orm.em.fork().transactional(async (tx) => {
    await lockAllPartitions(tx);
    const info = await ensureStream(bus, contract, size);
    const created = String(info.created);
    const [known] = await tx.execute<{ created_at: string }[]>(
      "select created_at from outbox_streams where stream = ?",
      [stream],
    );
    const lastKept = known?.created_at === created ? info.state.last_seq : -1;
    const lost = await unmarkLost(tx, stream, lastKept);
    await tx.execute(
      `insert into outbox_streams (stream, created_at) values (?, ?)
       on conflict (stream) do update set created_at = excluded.created_at`,
      [stream, created],
    );
    if (lost > 0)
      log.warn({ stream, events: lost, lastKept }, "the stream has lost events; publishing them again");
    log.info({ stream, lastSequence: info.state.last_seq }, "the stream is ready");
    return { created, lost };
  });
}

/** Rows unmarked by one statement: seven days of events are more than one may take the time for. */
const batch = 10_000;

/** Marks rows beyond the last kept sequence as unpublished. @returns how many */
async function unmarkLost(tx: EntityManager, stream: string, lastKept: number): Promise<number> {
  for (let lost = 0; ; ) {
    const { affectedRows } = await tx.execute<{ affectedRows: number }>(
      `update outbox set published_at = null, stream_sequence = null
       where id in (
         select id from outbox where stream = ? and published_at is not null and stream_sequence > ? limit ?
       )`,
      [stream, lastKept, batch],
      "run",
    );
    lost += affectedRows;
    if (affectedRows < batch) return lost;
  }
}

/** Whether the stream is the known instance and still reaches as far as this process has seen it reach. */
export async function isIntact(
  bus: Bus,
  stream: string,
  created: string,
  lastSequence: number,
): Promise<boolean> {
  const info = await findStream(bus, stream);
  return info !== undefined && String(info.created) === created && info.state.last_seq >= lastSequence;
}
