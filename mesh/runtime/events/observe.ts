/**
 * How far behind events are: instruments that ask the database and the broker when somebody reads them.
 *
 *   weft.outbox.unpublished           events that wait in the outbox
 *   weft.outbox.oldest_seconds        age of the oldest of them; alert when it exceeds seconds
 *   weft.consumer.pending             events in the stream that a consumer has not been given yet
 *   weft.consumer.in_flight           events given and not acknowledged; at max_ack_pending nothing more comes
 *   weft.dead_letters                 by state: retrying (will come again), open (an operator has to look)
 *
 * Counters of what happens (weft.outbox.published, weft.outbox.recovered, weft.consumer.deliveries,
 * weft.consumer.restarts) stand where it happens.
 */

import type { MikroORM } from "@mikro-orm/postgresql";
import type { Meter } from "@opentelemetry/api";
import type { Bus } from "./bus.ts";
import { findDurable } from "./durable.ts";

/** A durable consumer and its stream. */
export interface ObservedConsumer {
  readonly consumer: string;
  readonly stream: string;
}

/** Registers the instruments. What is away when they are read has no value then. */
export function observeEvents(
  meter: Meter,
  { orm, bus, consumers }: { orm: MikroORM; bus: Bus; consumers: readonly ObservedConsumer[] },
): void {
  observeOutbox(meter, orm);
  observeDeadLetters(meter, orm);
  if (consumers.length > 0) observeConsumers(meter, bus, consumers);
}

function observeOutbox(meter: Meter, orm: MikroORM): void {
  const unpublished = meter.createObservableGauge("weft.outbox.unpublished", {
    description: "Events that wait in the outbox",
  });
  const oldest = meter.createObservableGauge("weft.outbox.oldest_seconds", {
    description: "Age of the oldest event that waits in the outbox",
    unit: "s",
  });
  meter.addBatchObservableCallback(
    async (result) => {
      const [row] = await orm.em.fork().execute<{ depth: number; age: number }[]>(
        `select count(*)::int as depth, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age
         from outbox where published_at is null`,
      );
      result.observe(unpublished, row?.depth ?? 0);
      result.observe(oldest, Math.max(0, row?.age ?? 0));
    },
    [unpublished, oldest],
  );
}

function observeDeadLetters(meter: Meter, orm: MikroORM): void {
  const letters = meter.createObservableGauge("weft.dead_letters", {
    description: "Events whose handling failed, by consumer and state",
  });
  letters.addCallback(async (result) => {
    const rows = await orm.em.fork().execute<{ consumer: string; state: string; count: number }[]>(
      `select consumer, state, count(*)::int as count from dead_letters
       where state in ('retrying', 'open') group by consumer, state`,
    );
    for (const { count, ...attributes } of rows) result.observe(count, attributes);
  });
}

function observeConsumers(meter: Meter, bus: Bus, consumers: readonly ObservedConsumer[]): void {
  const pending = meter.createObservableGauge("weft.consumer.pending", {
    description: "Events that a consumer has not been given yet",
  });
  const inFlight = meter.createObservableGauge("weft.consumer.in_flight", {
    description: "Events that a consumer was given and has not acknowledged",
  });
  meter.addBatchObservableCallback(
    async (result) => {
      if (!bus.isConnected()) return;
      await Promise.all(
        consumers.map(async ({ consumer, stream }) => {
          const info = await findDurable(bus, stream, consumer);
          if (!info) return;
          result.observe(pending, info.num_pending, { consumer });
          result.observe(inFlight, info.num_ack_pending, { consumer });
        }),
      );
    },
    [pending, inFlight],
  );
}
