/**
 * The inbox: one row for each event whose effect a consumer has committed. It is inserted in the
 * transaction of the effect, so a second delivery finds it and does nothing.
 */
import { defineEntity, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { DeadLetterRow } from "./dead-letters.ts";
import { OutboxRow } from "./outbox.ts";

export { DeadLetterRow };

/** An event that a consumer has handled. */
export const InboxRow = defineEntity({
  name: "InboxRow",
  tableName: "inbox",
  properties: {
    /** Durable name of the consumer: SERVICE__EVENT. */
    consumer: p.text().primary(),
    eventId: p.text().primary(),
    /** When the event was last delivered; renewed by duplicates so that the row outlives the message. */
    seenAt: p.datetime(),
  },
});

/** Entities of the events runtime, which a service adds to its own. */
export const eventEntities = [OutboxRow, InboxRow, DeadLetterRow];

/**
 * Claims an event for the running transaction.
 *
 * Waits while another transaction holds the same claim. When the claim is new, the event's failures so far
 * are settled with it: a retried event leaves no trace, a dead letter counts as replayed.
 *
 * @param em - inside the transaction of the effect.
 * @param statementTimeout - milliseconds any later statement of the transaction may take.
 * @param keepFailures - leaves the record of failed tries alone: the caller settles it.
 * @returns false when the effect is committed already: the delivery is a duplicate.
 */
export async function claimEvent(
  em: EntityManager,
  consumer: string,
  eventId: string,
  statementTimeout: number,
  keepFailures = false,
): Promise<boolean> {
  const [claim] = await em.execute<{ fresh: boolean }[]>(
    `with claim as (
       insert into inbox (consumer, event_id) values (?, ?)
       on conflict (consumer, event_id) do update set seen_at = now()
       returning xmax = 0 as fresh
     ), settled as (
       select fresh and not ? as now from claim
     ), retried as (
       delete from dead_letters
       where consumer = ? and event_id = ? and state = 'retrying' and (select now from settled)
     ), replayed as (
       update dead_letters set state = 'replayed', settled_at = now(), settled_by = 'redelivery'
       where consumer = ? and event_id = ? and state = 'open' and (select now from settled)
     )
     select fresh, set_config('statement_timeout', ?, true) from claim`,
    [consumer, eventId, keepFailures, consumer, eventId, consumer, eventId, String(statementTimeout)],
  );
  return claim?.fresh === true;
}
