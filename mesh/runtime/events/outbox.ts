/**
 * DESIGN
 *
 * recordEvent() adds an event to the transaction that causes it: both commit or neither does. The rows are
 * inserted by the last statement before COMMIT, in one message with it, after every UPDATE of the transaction. A transaction that
 * changes an aggregate holds the aggregate's row lock by then, and draws its rows' positions under that lock:
 * so the positions of one key stand in the order in which its transactions commit, however long each is held.
 *
 * A relay (relay.ts) publishes rows whose published_at is null and sets it after the stream's acknowledgement.
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type EntityManager as AnyEntityManager,
  defineEntity,
  type EventSubscriber,
  p,
} from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";
import {
  currentContext,
  type RequestContext,
  randomHex,
  traceparentOf,
} from "#mesh/runtime/telemetry/context.ts";
import { preciseNow } from "../telemetry/span.ts";
import { announceEventsCommitted } from "./commit-signal.ts";
import { eventContract } from "./event-contract.ts";
import { createSpan } from "./event-spans.ts";
import { partitionOf } from "./partition.ts";

/** What an event carries from the request that caused it. */
export interface EventHeaders {
  readonly requestId?: string;
  readonly traceparent?: string;
}

/** An event of this service. For reading; recordEvent writes it. */
export const OutboxRow = defineEntity({
  name: "OutboxRow",
  tableName: "outbox",
  properties: {
    /** UUIDv7; CloudEvents id and the stream's duplicate key. */
    id: p.uuid().primary(),
    /** Order of insertion; gaps are normal. */
    position: p.bigint("bigint"),
    type: p.text(),
    subject: p.text(),
    stream: p.text(),
    key: p.text(),
    /** Version of the aggregate in decimal digits. */
    version: p.decimal("string").nullable(),
    /** Protobuf binary. */
    payload: p.blob(),
    headers: p.json().$type<EventHeaders>(),
    /** Hash of the key, 0 to 15. */
    partition: p.smallint(),
    createdAt: p.datetime(),
    publishedAt: p.datetime().nullable(),
    /** Where the stream put it. */
    streamSequence: p.bigint("bigint").nullable(),
  },
});

/** Largest payload in bytes; a message with its headers must fit the broker's 1 MiB. */
export const payloadLimit = 512 * 1024;

interface PendingEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly stream: string;
  readonly key: string;
  readonly version: bigint | undefined;
  readonly payload: Uint8Array;
  readonly headers: EventHeaders;
  readonly createdAt: Date;
  /** Adds the span of its creation, when it is inserted. */
  readonly traced: () => void;
}

const pending = new WeakMap<AnyEntityManager, PendingEvent[]>();

/**
 * Adds an event to the caller's transaction.
 *
 * @param em - the EntityManager of the running transaction, as `transactional` passes it.
 * @param schema - message with the option (weft.policy.v1.event).
 * @param init - its fields.
 * @param context - request the event belongs to; the current one when left out.
 * @throws Error when no transaction runs, the key is empty, or the payload is larger than `payloadLimit`.
 */
export function recordEvent<S extends DescMessage>(
  em: EntityManager,
  schema: S,
  init: MessageInitShape<S>,
  context: RequestContext | undefined = currentContext(),
): void {
  const transaction = em.getContext(false);
  if (!transaction.isInTransaction()) throw new Error(`recordEvent(${schema.typeName}) needs a transaction`);
  const contract = eventContract(schema);
  const message = create(schema, init);
  const payload = toBinary(schema, message);
  if (payload.length > payloadLimit)
    throw new Error(
      `event ${schema.typeName} has ${payload.length} bytes; at most ${payloadLimit} are allowed`,
    );
  const events = pending.get(transaction) ?? [];
  pending.set(transaction, events);
  const id = uuidv7();
  events.push({
    id,
    type: contract.type,
    subject: contract.subject,
    stream: contract.stream,
    key: contract.keyOf(message),
    version: contract.versionOf(message),
    payload,
    ...originOf(context, id, contract.subject),
    createdAt: new Date(),
  });
  transaction.getEventManager().registerSubscriber(insertBeforeCommit);
}

/** Ids that go along with an event, of a span of its own where there is a trace. */
function originOf(
  context: RequestContext | undefined,
  id: string,
  subject: string,
): Pick<PendingEvent, "headers" | "traced"> {
  if (!context) return { headers: {}, traced: () => {} };
  const { requestId, traceId, traceFlags, trace, spanId: parentSpanId } = context;
  if (!trace) return { headers: { requestId, traceparent: traceparentOf(context) }, traced: () => {} };
  const spanId = randomHex(8);
  const startedAt = preciseNow();
  return {
    headers: { requestId, traceparent: traceparentOf({ traceId, spanId, traceFlags }) },
    traced: () =>
      trace.add(createSpan(subject), {
        spanId,
        parentSpanId,
        startedAt,
        more: { "messaging.message.id": id },
      }),
  };
}

/** Entity managers whose transaction has inserted events and is about to commit. */
const committing = new WeakSet<AnyEntityManager>();

const insertBeforeCommit: EventSubscriber = {
  async beforeTransactionCommit({ em }) {
    const events = pending.get(em);
    if (!events) return;
    pending.delete(em);
    await insertEvents(em as EntityManager, events);
    for (const { traced } of events) traced();
    committing.add(em);
  },
  afterTransactionCommit({ em }) {
    if (committing.delete(em)) announceEventsCommitted(em);
  },
  afterTransactionRollback({ em }) {
    pending.delete(em);
    committing.delete(em);
  },
};

async function insertEvents(em: EntityManager, events: readonly PendingEvent[]): Promise<void> {
  await runLater(
    em,
    `insert into outbox (id, type, subject, stream, key, version, payload, headers, partition, created_at)
     values ${events.map(() => "(?, ?, ?, ?, ?, ?::numeric, ?, ?::jsonb, ?, ?)").join(", ")}`,
    events.flatMap((event) => [
      event.id,
      event.type,
      event.subject,
      event.stream,
      event.key,
      event.version?.toString() ?? null,
      Buffer.from(event.payload),
      JSON.stringify(event.headers),
      partitionOf(event.key),
      event.createdAt,
    ]),
  );
}
