/**
 * One round of the relay: takes some partitions of the outbox for itself, publishes what is unpublished in
 * them, and marks what the stream acknowledged, in one transaction.
 *
 * Order: events of one key go out one after the other, each after the acknowledgement of the one before;
 * keys go out side by side. A crash between acknowledgement and commit repeats the event with the same
 * Nats-Msg-Id: the stream drops it within two minutes, the readers' inboxes drop it later.
 */
import type { EntityManager } from "@mikro-orm/postgresql";
import type { PubAck } from "@nats-io/jetstream";
import { failpoint } from "../failpoint.ts";
import { runLater } from "../storage/later-statements.ts";
import { longestStatementMs } from "../storage/silent-connections.ts";
import type { EventHeaders } from "./outbox.ts";
import { partitions } from "./partition.ts";

/** A row of the outbox on its way out. */
export interface OutgoingEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly stream: string;
  readonly key: string;
  readonly version: string | null;
  readonly payload: Buffer;
  readonly headers: EventHeaders;
  /** Milliseconds since 1970. */
  readonly recordedAt: number;
}

/** What became of one round. */
export interface RoundOutcome {
  /** Rows published and marked. */
  readonly published: number;
  /** Whether more rows may be waiting. */
  readonly more: boolean;
  /** First failure for each key that failed. Later events of that key were left alone. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/** First half of the advisory lock's key; the second is the partition. Locks are local to the database. */
const lockSpace = 0x6f757462; // "outb"
const rowLimit = 256;
/** Milliseconds after which a round begins no other event, so that its marks are safe from the idle limit. */
const roundLimit = 5_000;
/** Half of the partitions, so that another replica finds some. */
const partitionLimit = partitions / 2;

/** Whether anything waits: what an idle relay asks, in place of a transaction. */
export async function hasUnpublished(em: EntityManager, blockedKeys: readonly string[]): Promise<boolean> {
  const waiting = await em.execute(
    `select 1 from outbox where published_at is null ${except(blockedKeys)} limit 1`,
    [...blockedKeys],
  );
  return waiting.length > 0;
}

/**
 * Publishes one batch.
 *
 * @param publish - resolves with the stream's acknowledgement; called once at a time for each key.
 * @param blockedKeys - keys to leave alone in this round.
 * @param giveUp - asked before each event; true ends the round early.
 */
export async function publishRound(
  em: EntityManager,
  publish: (event: OutgoingEvent) => Promise<PubAck>,
  blockedKeys: readonly string[],
  giveUp: (error?: unknown) => boolean,
): Promise<RoundOutcome> {
  const outcome = await em.transactional(async (tx) => {
    await limitTransaction(tx);
    const held = await lockSomePartitions(tx, blockedKeys);
    if (held.length === 0) return { published: 0, more: false, failed: new Map() };
    const events = await unpublishedRows(tx, held, blockedKeys);
    const failed = new Map<string, unknown>();
    const end = performance.now() + roundLimit;
    const acknowledged: { id: string; sequence: number }[] = [];
    await Promise.all(
      [...Map.groupBy(events, ({ key }) => key).values()].map(async (sameKey) => {
        for (const event of sameKey) {
          if (giveUp() || performance.now() > end) return;
          try {
            failpoint("outbox.publish.before");
            const { seq } = await publish(event);
            failpoint("outbox.publish.after");
            acknowledged.push({ id: event.id, sequence: seq });
          } catch (error) {
            failed.set(event.key, error);
            giveUp(error);
            return;
          }
        }
      }),
    );
    await markPublished(tx, acknowledged);
    failpoint("outbox.commit.before");
    return { published: acknowledged.length, more: acknowledged.length > 0, failed };
  });
  failpoint("outbox.commit.after");
  return outcome;
}

/** Waits until no relay publishes, and keeps all of them from it until the transaction ends. */
export async function lockAllPartitions(tx: EntityManager): Promise<void> {
  const limit = String(longestStatementMs); // longer than a round
  await tx.execute("select set_config('lock_timeout', ?, true), set_config('statement_timeout', ?, true)", [
    limit,
    limit,
  ]);
  for (let partition = 0; partition < partitions; partition++)
    await tx.execute("select pg_advisory_xact_lock(?::integer, ?::integer)", [lockSpace, partition]);
}

/**
 * The transaction stays open while events are published. A relay that is stopped in its midst loses its
 * locks after 15 s, so that another one can go on. A lost mark only repeats an event: no need to wait for
 * the disk.
 */
async function limitTransaction(tx: EntityManager): Promise<void> {
  await runLater(tx, "set local idle_in_transaction_session_timeout = '15s'");
  await runLater(tx, "set local synchronous_commit = off");
}

async function lockSomePartitions(tx: EntityManager, blockedKeys: readonly string[]): Promise<number[]> {
  const rows = await tx.execute<{ partition: number }[]>(
    `select partition from (
       select partition from (
         select distinct partition from outbox where published_at is null ${except(blockedKeys)}
       ) pending order by random() limit ?
     ) drawn where pg_try_advisory_xact_lock(?::integer, partition::integer)`,
    [...blockedKeys, partitionLimit, lockSpace],
  );
  return rows.map(({ partition }) => partition);
}

/** A statement of its own, after the locks: it must see what their last holder has marked. */
async function unpublishedRows(
  tx: EntityManager,
  held: readonly number[],
  blockedKeys: readonly string[],
): Promise<OutgoingEvent[]> {
  return tx.execute<OutgoingEvent[]>(
    `select id, type, subject, stream, key, version::text, payload, headers,
       (extract(epoch from created_at) * 1000)::float8 as "recordedAt"
     from outbox
     where published_at is null and partition in (${held.map(() => "?").join(", ")}) ${except(blockedKeys)}
     order by position limit ? for update skip locked`,
    [...held, ...blockedKeys, rowLimit],
  );
}

async function markPublished(
  tx: EntityManager,
  acknowledged: readonly { id: string; sequence: number }[],
): Promise<void> {
  if (acknowledged.length === 0) return;
  await runLater(
    tx,
    `update outbox set published_at = clock_timestamp(), stream_sequence = ack.sequence
     from (values ${acknowledged.map(() => "(?::uuid, ?::bigint)").join(", ")}) ack (id, sequence)
     where outbox.id = ack.id`,
    acknowledged.flatMap(({ id, sequence }) => [id, sequence]),
  );
}

function except(keys: readonly string[]): string {
  return keys.length === 0 ? "" : `and key not in (${keys.map(() => "?").join(", ")})`;
}
