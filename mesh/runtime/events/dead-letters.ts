/**
 * Failures of event handling, kept in the consumer's own database so that nothing depends on how long the
 * stream keeps the message.
 *
 * A row is written with the first failure (state "retrying"), becomes "open" when the event is given up, and
 * is settled as "replayed" or "dropped" by an operator, or as "replayed" when a later delivery succeeds.
 */
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { messageForLog } from "#mesh/runtime/telemetry/log-error.ts";

/** One failed try. */
export interface FailedTry {
  /** RFC 3339. */
  readonly at: string;
  readonly cause: string;
  /** Who replayed it; none for a delivery. */
  readonly actor?: string;
}

/** An event whose handling failed at least once. */
export const DeadLetterRow = defineEntity({
  name: "DeadLetterRow",
  tableName: "dead_letters",
  properties: {
    id: p.uuid().primary(),
    /** Durable name of the consumer: SERVICE__EVENT. */
    consumer: p.text(),
    /** CloudEvents id; STREAM:SEQUENCE@TIME when the message carries none that can be read. */
    eventId: p.text(),
    type: p.text(),
    subject: p.text(),
    key: p.text(),
    /** Body of the message as it came. */
    payload: p.blob(),
    /** Headers of the message as they came. */
    headers: p.json().$type<Record<string, string>>(),
    /** Error of the last try. */
    cause: p.text(),
    /** Failed tries so far. */
    attempts: p.integer(),
    /** The last 20 failed tries, oldest first. */
    history: p.json().$type<FailedTry[]>(),
    state: p.enum(["retrying", "open", "replayed", "dropped"] as const),
    stream: p.text(),
    streamSequence: p.bigint("bigint"),
    firstSeenAt: p.datetime(),
    lastFailedAt: p.datetime(),
    deadAt: p.datetime().nullable(),
    settledAt: p.datetime().nullable(),
    /** Who replayed or dropped it. */
    settledBy: p.text().nullable(),
  },
});

export type DeadLetter = InferEntity<typeof DeadLetterRow>;

/** A message whose handling failed. */
export interface FailedDelivery {
  readonly consumer: string;
  readonly eventId: string;
  readonly type: string;
  readonly subject: string;
  readonly key: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: string;
  readonly streamSequence: number | bigint;
}

const causeLimit = 2_000;
const historyLimit = 20;
/** For so long the inbox knows of an event that was replayed: a try that fails meanwhile began before and lost. */
const remembered = "8 days";

/**
 * Adds a failed try of an event and gives the event up when it was the last one.
 *
 * @param em - outside the handler's transaction, which has been rolled back.
 * @param maxAttempts - tries after which the event is dead; 0 gives it up at once.
 * @param actor - who replayed the event; none for a delivery.
 * @returns failed tries so far, and whether the event is now (or was already) dead.
 */
export async function recordFailure(
  em: EntityManager,
  delivery: FailedDelivery,
  error: unknown,
  maxAttempts: number,
  actor?: string,
): Promise<{ attempts: number; dead: boolean }> {
  const cause = causeOf(error);
  const entry = JSON.stringify([
    { at: new Date().toISOString(), cause, ...(actor && { actor: storable(actor) }) } satisfies FailedTry,
  ]);
  const headers = Object.entries(delivery.headers).map(([name, value]) => [name, storable(value)]);
  const [row] = await em.execute<{ attempts: number; state: string }[]>(
    `insert into dead_letters as d (id, consumer, event_id, type, subject, key, payload, headers, cause, attempts,
       history, state, stream, stream_sequence, dead_at)
     values (?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, 1, ?::jsonb, case when 1 >= ? then 'open' else 'retrying' end, ?, ?,
       case when 1 >= ? then now() end)
     on conflict (consumer, event_id) do update set
       cause = excluded.cause,
       attempts = d.attempts + 1,
       history = (case when jsonb_array_length(d.history) >= ? then d.history - 0 else d.history end) || excluded.history,
       state = case when d.state = 'retrying' and d.attempts + 1 < ? then 'retrying'
                    when d.state = 'dropped' then 'dropped'
                    when d.state = 'replayed' and d.settled_at > now() - interval '${remembered}' then 'replayed'
                    else 'open' end,
       dead_at = case when d.attempts + 1 >= ? then coalesce(d.dead_at, now()) end,
       stream_sequence = excluded.stream_sequence,
       last_failed_at = now()
     returning attempts, state`,
    [
      uuidv7(),
      delivery.consumer,
      storable(delivery.eventId),
      storable(delivery.type),
      storable(delivery.subject),
      storable(delivery.key),
      Buffer.from(delivery.payload),
      JSON.stringify(Object.fromEntries(headers)),
      cause,
      entry,
      maxAttempts,
      delivery.stream,
      delivery.streamSequence,
      maxAttempts,
      historyLimit,
      maxAttempts,
      maxAttempts,
    ],
  );
  if (!row) throw new Error("dead letter was not stored");
  return { attempts: row.attempts, dead: row.state !== "retrying" };
}

/** Failed tries of an event so far; 0 when none is on record. */
export async function failuresOf(em: EntityManager, consumer: string, eventId: string): Promise<number> {
  const [row] = await em.execute<{ attempts: number }[]>(
    "select attempts from dead_letters where consumer = ? and event_id = ?",
    [consumer, eventId],
  );
  return row?.attempts ?? 0;
}

/** What is kept of an error. */
export function causeOf(error: unknown): string {
  const text = error instanceof Error ? messageForLog(error) : String(error);
  return storable(text.slice(0, causeLimit));
}

/**
 * PostgreSQL stores neither NUL nor lone surrogates in text or jsonb, and a dead letter must never be refused
 * for its content.
 */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
