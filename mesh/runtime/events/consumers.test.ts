/** What a service does with events: one effect of each, in order, in the context of what caused it. */

import { expect, onTestFinished, test, vi } from "vitest";
import { currentContext } from "#mesh/runtime/telemetry/context.ts";
import { freshBus } from "../../../test/system/fresh.ts";
import { randomFrom } from "../../../test/system/seeded-random.ts";
import { on, startConsumers } from "./consumers.ts";
import { DeadLetterRow, InboxRow } from "./inbox.ts";
import { OutboxRow, recordEvent } from "./outbox.ts";
import { ensureStream } from "./streams.ts";
import { libraryBus, libraryDatabase, recordingLog } from "./testdata/library-service.ts";
import {
  BookLentSchema,
  contract,
  count,
  countOf,
  durable,
  type Published,
  publish,
  ShelfOpenedSchema,
  settled,
  soon,
  startReader,
} from "./testdata/reader.ts";

test("an event that is delivered three times has one effect", async () => {
  const { orm, bus, consumers, start } = await startReader([count]);
  const { id, again } = await publish(bus, {});
  await again();
  await settled(bus);
  await consumers.stop();
  await again();
  start();
  await settled(bus);
  expect((await bus.jsm.streams.info(contract.stream)).state.messages).toBe(3);
  expect(await countOf(orm, "shelf-1")).toBe(1);
  expect(await orm.em.fork().find(InboxRow, {})).toMatchObject([{ consumer: durable, eventId: id }]);
});

test("two readers that get the same event at once have one effect between them", async () => {
  const { orm, bus, url, log } = await startReader([count]);
  const other = startConsumers({
    service: "reader",
    orm,
    bus: await libraryBus(url, "reader"),
    handlers: [count],
    log,
  });
  onTestFinished(() => other.stop());
  const { again } = await publish(bus, {});
  await Promise.all(Array.from({ length: 10 }, again));
  await settled(bus);
  expect(await countOf(orm, "shelf-1")).toBe(1);
});

test("the handler sees the event and runs within the context of the request that caused it", async () => {
  const seen = Promise.withResolvers<unknown>();
  const { bus } = await startReader([
    on(BookLentSchema, async (event, { id, key, version, time, attempt, headers }) => {
      const { requestId, traceId } = currentContext()!;
      seen.resolve({
        title: event.title,
        id,
        key,
        version,
        time,
        attempt,
        source: headers["ce-source"],
        requestId,
        traceId,
      });
    }),
  ]);
  const { id } = await publish(bus, { revision: 7n });
  expect(await seen.promise).toEqual({
    title: "Emma",
    id,
    key: "shelf-1",
    version: 7n,
    time: new Date(1_700_000_000_000),
    attempt: 1,
    source: "/services/library",
    requestId: "request-1",
    traceId: "a".repeat(32),
  });
});

test("a failed effect is rolled back and tried again until it succeeds", async () => {
  const attempts: number[] = [];
  const { orm, bus } = await startReader([
    on(BookLentSchema, async (event, context) => {
      attempts.push(context.attempt);
      await count.handle(event, context);
      if (context.attempt < 3) throw new Error("not yet");
    }),
  ]);
  await publish(bus, {});
  await vi.waitFor(() => expect(attempts).toHaveLength(3), soon);
  await settled(bus);
  expect(attempts).toEqual([1, 2, 3]);
  expect(await countOf(orm, "shelf-1")).toBe(1);
  expect(await orm.em.fork().count(DeadLetterRow)).toBe(0);
});

test("an event that a handler records leaves with the handler's effect", async () => {
  const { orm, bus } = await startReader([
    on(BookLentSchema, async ({ shelfId }, { em, attempt, id }) => {
      recordEvent(em, ShelfOpenedSchema, { shelfId: `${shelfId} after ${id}` });
      if (attempt < 2) throw new Error("not yet");
    }),
  ]);
  const { id } = await publish(bus, {});
  await vi.waitFor(async () => expect(await orm.em.fork().count(InboxRow)).toBe(1), soon);
  expect(await orm.em.fork().find(OutboxRow, {})).toMatchObject([
    { key: `shelf-1 after ${id}`, headers: { requestId: "request-1" } },
  ]);
});

test("events of one key are handled one after the other", async () => {
  const order: bigint[] = [];
  let running = 0;
  const { bus } = await startReader(
    [
      on(BookLentSchema, async ({ revision }, { em }) => {
        expect(++running).toBe(1);
        await em.execute("select pg_sleep(0.01)");
        order.push(revision);
        running--;
      }),
    ],
    { concurrency: 4 },
  );
  for (let revision = 1n; revision <= 12n; revision++) await publish(bus, { revision });
  await vi.waitFor(() => expect(order).toHaveLength(12), soon);
  expect(order).toEqual(Array.from({ length: 12 }, (_, index) => BigInt(index + 1)));
});

test("events that come three times, shuffled and late, lead where they lead in order", async () => {
  const latest = on(BookLentSchema, async ({ shelfId }, { em, version }) => {
    await em.execute(
      `insert into shelves (id, lent, version) values (?, 1, ?) on conflict (id) do update
         set lent = shelves.lent + 1, version = greatest(shelves.version, excluded.version)`,
      [shelfId, Number(version)],
    );
  });
  const { orm, bus } = await startReader([latest]);
  const published: Published[] = [];
  for (let index = 0; index < 40; index++)
    published.push(await publish(bus, { shelfId: `shelf-${index % 4}`, revision: BigInt(index + 1) }));
  // The second and the third time without the stream's duplicate check, as after its window.
  const random = randomFrom(7);
  const again = [...published, ...published].map((event) => ({ event, at: random() }));
  for (const { event } of again.toSorted((a, b) => a.at - b.at)) await event.again();
  await settled(bus);
  expect((await bus.jsm.streams.info(contract.stream)).state.messages).toBe(120);
  const shelves = await orm.em.execute("select id, lent, version from shelves order by id");
  expect(shelves).toEqual([0, 1, 2, 3].map((n) => ({ id: `shelf-${n}`, lent: 10, version: 37 + n })));
});

test("a consumer waits for a stream that does not exist yet", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "reader");
  const { log, lines } = recordingLog();
  const consumers = startConsumers({ service: "reader", orm, bus, handlers: [count], log });
  onTestFinished(() => consumers.stop());
  await vi.waitFor(
    () => expect(lines.some(([, { problem }]) => problem === "stream not found")).toBe(true),
    soon,
  );
  await ensureStream(bus, contract);
  await publish(bus, {});
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-1")).toBe(1), soon);
});

test("stop waits for the event in hand and leaves the others to the next process", async () => {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let finished = 0;
  const { orm, bus, consumers } = await startReader(
    [
      on(BookLentSchema, async () => {
        begun.resolve();
        await gate.promise;
        finished++;
      }),
    ],
    { concurrency: 1 },
  );
  for (let revision = 1n; revision <= 5n; revision++) await publish(bus, { revision });
  await begun.promise;
  const stopped = consumers.stop();
  gate.resolve();
  await stopped;
  expect(finished).toBeGreaterThan(0);
  expect(finished).toBeLessThan(5);
  expect(await orm.em.fork().count(InboxRow)).toBe(finished);
});

test("a handler for an event whose contract does not name the service is refused at start-up", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus("nats://127.0.0.1:1", "stranger");
  const { log } = recordingLog();
  expect(() => startConsumers({ service: "stranger", orm, bus, handlers: [count], log })).toThrow(
    "stranger handles library.v1.BookLent, whose contract does not name it as a consumer",
  );
  expect(() => startConsumers({ service: "reader", orm, bus, handlers: [count, count], log })).toThrow(
    "two handlers",
  );
  expect(() => on(ShelfOpenedSchema, async () => {})).not.toThrow();
});
