/**
 * Replies that a service keeps for 24 hours, one for each (user, route, Idempotency-Key), each written in the
 * transaction of the effect it speaks of. For a service's migrations:
 *
 *   for (const sql of createStoredReplies) this.addSql(sql);
 */
import { Code } from "@connectrpc/connect";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { ServiceError } from "../rpc/errors.ts";
import type { Worker } from "../service.ts";
import { sqlStateOf } from "../storage/sql-state.ts";
import type { Logger } from "../telemetry/log.ts";

export const createStoredReplies: readonly string[] = [
  `create table stored_replies (
     user_id text not null,
     route text not null,
     key text not null,
     fingerprint bytea not null,
     reply bytea not null,
     created_at timestamptz not null default now(),
     primary key (user_id, route, key)
   )`,
  `create index stored_replies_created_at on stored_replies (created_at)`,
];

/** A call that carries an Idempotency-Key. */
export interface KeyedCall {
  /** The signed-in user's id, or "service:NAME" for a service that calls on its own behalf. */
  readonly userId: string;
  /** Full name of the method: "library.v1.LendingService/LendBook". */
  readonly route: string;
  readonly key: string;
  /** SHA-256 of the request message. */
  readonly fingerprint: Uint8Array;
}

/** Another call with the same key has committed first; this one's transaction must be rolled back. */
export class AnsweredMeanwhileError extends Error {
  override readonly name = "AnsweredMeanwhileError";
}

/** How long a reply is kept (draft-ietf-httpapi-idempotency-key-header, section 2.3), as an interval of PostgreSQL. */
const retention = "24 hours";

/**
 * The reply that a call with the same user, route and key got; undefined when there was none in 24 hours.
 * @throws ServiceError IDEMPOTENCY_KEY_REUSED when that call asked for something else
 */
export async function findReply(orm: MikroORM, call: KeyedCall): Promise<Uint8Array | undefined> {
  const [row] = await orm.em.fork().execute<{ fingerprint: Buffer; reply: Buffer }[]>(
    `select fingerprint, reply from stored_replies
     where user_id = ? and route = ? and key = ? and created_at > now() - interval '${retention}'`,
    [call.userId, call.route, call.key],
  );
  if (!row) return undefined;
  if (row.fingerprint.equals(call.fingerprint)) return row.reply;
  throw new ServiceError(
    Code.InvalidArgument,
    "IDEMPOTENCY_KEY_REUSED",
    "the Idempotency-Key was used for another request",
    { fields: [{ field: "Idempotency-Key", description: "use a new value for a new request" }] },
  );
}

/**
 * Stores a reply in the running transaction. Waits while another transaction stores one under the same key.
 *
 * @throws AnsweredMeanwhileError when the other one has committed; ServiceError IDEMPOTENCY_KEY_IN_FLIGHT when
 *   it does not end within the database's lock_timeout. Roll back in either case.
 */
export async function insertReply(tx: EntityManager, call: KeyedCall, reply: Uint8Array): Promise<void> {
  const { userId, route, key, fingerprint } = call;
  const inserted = await tx
    .execute<unknown[]>(
      `insert into stored_replies as kept (user_id, route, key, fingerprint, reply) values (?, ?, ?, ?, ?)
       on conflict (user_id, route, key) do update
         set fingerprint = excluded.fingerprint, reply = excluded.reply, created_at = now()
         where kept.created_at <= now() - interval '${retention}'
       returning 1`,
      [userId, route, key, Buffer.from(fingerprint), Buffer.from(reply)],
    )
    .catch((error: unknown) => {
      throw sqlStateOf(error) === "55P03" ? inFlight() : error;
    });
  if (inserted.length === 0) throw new AnsweredMeanwhileError(`${route} was answered meanwhile`);
}

/** The answer to a duplicate whose first call has not ended. */
export function inFlight(): ServiceError {
  return new ServiceError(
    Code.Aborted,
    "IDEMPOTENCY_KEY_IN_FLIGHT",
    "a request with this Idempotency-Key is being processed; send it again later",
  );
}

const batch = 1_000;

/** Deletes replies that are older than 24 hours, in small batches. Safe to run concurrently. */
export async function pruneReplies(orm: MikroORM): Promise<void> {
  const em = orm.em.fork();
  let removed: number;
  do {
    const result = await em.execute<{ affectedRows: number }>(
      `delete from stored_replies where (user_id, route, key) in (
         select user_id, route, key from stored_replies where created_at <= now() - interval '${retention}'
         order by created_at limit ?
       )`,
      [batch],
      "run",
    );
    removed = result.affectedRows;
  } while (removed === batch);
}

const pruneIntervalMs = 10 * 60 * 1_000;

/** Prunes from time to time. */
export function replyPruning(orm: MikroORM, log: Logger): Worker {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const prune = () => {
    running = pruneReplies(orm).catch((error) => log.warn({ err: error }, "stored replies were not pruned"));
  };
  return {
    start() {
      timer = setInterval(prune, pruneIntervalMs);
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
