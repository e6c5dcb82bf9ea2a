import { create, toBinary } from "@bufbuild/protobuf";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { MsgHdrs } from "@nats-io/nats-core";
import { v7 as uuidv7 } from "uuid";
import { expect, onTestFinished, test, vi } from "vitest";
import { currentContext } from "#mesh/runtime/telemetry/context.ts";
import { createMetrics } from "#mesh/runtime/telemetry/metrics.ts";
import { freshBus } from "../../../test/system/fresh.ts";
import { randomFrom } from "../../../test/system/seeded-random.ts";
import type { Bus } from "./bus.ts";
import { encodeCloudEvent } from "./cloud-events.ts";
import { startConsumerLoop } from "./consumer-loop.ts";
import { type EventHandler, on, PermanentEventError, readersOf, startConsumers } from "./consumers.ts";
import { eventContract } from "./event-contract.ts";
import { DeadLetterRow, InboxRow } from "./inbox.ts";
import { OutboxRow, recordEvent } from "./outbox.ts";
import { ensureStream } from "./streams.ts";
import { type BookLent, libraryContract } from "./testdata/library.ts";
import { libraryBus, libraryDatabase, recordingLog } from "./testdata/library-service.ts";

const { BookLentSchema, ShelfOpenedSchema } = libraryContract({
  consumers: [{ service: "reader", maxDeliver: 3, backoff: [50, 100], ackWait: 1_500 }],
});
const contract = eventContract(BookLentSchema);
const durable = "reader__book_lent";
const soon = { timeout: 10_000, interval: 20 };

/** Counts in the transaction of the event. */
const count = on(BookLentSchema, async ({ shelfId }, { em }) => {
  await em.execute(
    "insert into shelves (id, lent) values (?, 1) on conflict (id) do update set lent = shelves.lent + 1",
    [shelfId],
  );
});

async function countOf(orm: MikroORM, shelfId: string): Promise<number> {
  const [row] = await orm.em
    .fork()
    .execute<{ lent: number }[]>("select lent from shelves where id = ?", [shelfId]);
  return row?.lent ?? 0;
}

interface Published {
  id: string;
  /** Publishes the same event as another message, past the stream's duplicate window. */
  again(): Promise<void>;
}

/** Publishes an event as the relay does; `spoil` may change its headers first. */
async function publish(
  bus: Bus,
  fields: Partial<BookLent>,
  spoil: (headers: MsgHdrs) => void = () => {},
): Promise<Published> {
  const message = create(BookLentSchema, { shelfId: "shelf-1", revision: 1n, title: "Emma", ...fields });
  const data = toBinary(BookLentSchema, message);
  const id = uuidv7();
  const send = async (repeated: boolean) => {
    const headers = encodeCloudEvent({
      id,
      source: "/services/library",
      type: "library.v1.BookLent",
      time: new Date(1_700_000_000_000),
      key: message.shelfId,
      version: message.revision,
      requestId: "request-1",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      data,
    });
    if (repeated) headers.delete("Nats-Msg-Id");
    spoil(headers);
    await bus.js.publish(contract.subject, data, { headers });
  };
  await send(false);
  return { id, again: () => send(true) };
}

async function startReader(handlers: EventHandler[], options: { orm?: MikroORM; concurrency?: number } = {}) {
  const orm = options.orm ?? (await libraryDatabase()).orm;
  const url = await freshBus();
  const { log, lines } = recordingLog();
  const bus = await libraryBus(url, "reader", log);
  await bus.connected();
  await ensureStream(bus, contract);
  const start = () => {
    const consumers = startConsumers({
      service: "reader",
      orm,
      bus,
      handlers,
      log,
      concurrency: options.concurrency,
    });
    onTestFinished(() => consumers.stop());
    return consumers;
  };
  return { orm, bus, url, log, lines, start, consumers: start() };
}

/** Waits until nothing is pending or in flight. */
async function settled(bus: Bus): Promise<void> {
  await vi.waitFor(async () => {
    const info = await bus.jsm.consumers.info(contract.stream, durable);
    expect([info.num_pending, info.num_ack_pending]).toEqual([0, 0]);
  }, soon);
}

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

test("an event whose last try fails is kept with its history and not delivered again", async () => {
  let tries = 0;
  const { orm, bus } = await startReader([
    on(BookLentSchema, async (event, context) => {
      tries++;
      await count.handle(event, context);
      throw new Error(`failure ${context.attempt}`);
    }),
  ]);
  const { id } = await publish(bus, {});
  await vi.waitFor(
    async () => expect(await orm.em.fork().count(DeadLetterRow, { state: "open" })).toBe(1),
    soon,
  );
  await settled(bus);
  expect(tries).toBe(3);
  expect(await countOf(orm, "shelf-1")).toBe(0);
  expect(await orm.em.fork().count(InboxRow)).toBe(0);
  const [letter] = await orm.em.fork().find(DeadLetterRow, {});
  expect(letter).toMatchObject({
    consumer: durable,
    eventId: id,
    type: "library.v1.BookLent",
    subject: contract.subject,
    key: "shelf-1",
    cause: "Error: failure 3",
    attempts: 3,
    stream: contract.stream,
    streamSequence: 1n,
  });
  expect(letter!.history.map(({ cause }) => cause)).toEqual([
    "Error: failure 1",
    "Error: failure 2",
    "Error: failure 3",
  ]);
  expect(letter!.headers["ce-id"]).toBe(id);
  expect(letter!.deadAt).not.toBeNull();
});

test("a dead letter that succeeds when it is delivered again counts as replayed", async () => {
  let broken = true;
  const { orm, bus } = await startReader([
    on(BookLentSchema, async (event, context) => {
      if (broken) throw new PermanentEventError("broken");
      await count.handle(event, context);
    }),
  ]);
  const { again } = await publish(bus, {});
  await vi.waitFor(
    async () => expect(await orm.em.fork().count(DeadLetterRow, { state: "open" })).toBe(1),
    soon,
  );
  broken = false;
  await again();
  await vi.waitFor(
    async () => expect(await orm.em.fork().count(DeadLetterRow, { state: "replayed" })).toBe(1),
    soon,
  );
  expect(await countOf(orm, "shelf-1")).toBe(1);
});

test("a handler may give an event up at once", async () => {
  let tries = 0;
  const { orm, bus } = await startReader([
    on(BookLentSchema, async () => {
      tries++;
      throw new PermanentEventError("no such shelf");
    }),
  ]);
  await publish(bus, {});
  await vi.waitFor(
    async () => expect(await orm.em.fork().count(DeadLetterRow, { state: "open" })).toBe(1),
    soon,
  );
  await settled(bus);
  expect(tries).toBe(1);
});

test("an event is kept whatever the text of its failure", async () => {
  const { orm, bus } = await startReader([
    on(BookLentSchema, async () => {
      throw new PermanentEventError("nul \u0000, half a pair \ud83d, a quote ' and a ?");
    }),
  ]);
  await publish(bus, {}, (headers) => headers.set("ce-note", "quote ' and ?"));
  await vi.waitFor(
    async () => expect(await orm.em.fork().count(DeadLetterRow, { state: "open" })).toBe(1),
    soon,
  );
  const [letter] = await orm.em.fork().find(DeadLetterRow, {});
  expect(letter!.cause).toBe("PermanentEventError: nul \uFFFD, half a pair \uFFFD, a quote ' and a ?");
  expect(letter!.headers["ce-note"]).toBe("quote ' and ?");
});

test("poison is dead-lettered at once and holds nobody up", async () => {
  const { orm, bus } = await startReader([count]);
  await publish(bus, {}, (headers) => headers.set("ce-type", "library.v2.BookLent"));
  await publish(bus, {}, (headers) => headers.delete("ce-id"));
  await publish(bus, {}, (headers) => headers.set("ce-specversion", "0.3"));
  await publish(bus, {}, (headers) => headers.set("ce-partitionkey", "shelf-9"));
  const { id } = await publish(bus, {}, (headers) => headers.set("x-request-id", "%00%FF"));
  await bus.js.publish(contract.subject, new Uint8Array([0xff, 0xff]));
  await publish(bus, { shelfId: "shelf-2" });
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-2")).toBe(1), soon);
  await settled(bus);
  const letters = await orm.em.fork().find(DeadLetterRow, {}, { orderBy: { streamSequence: "asc" } });
  expect(letters.map(({ cause, state }) => `${state}: ${cause}`)).toEqual([
    'open: MalformedEventError: the type is "library.v2.BookLent", not "library.v1.BookLent"',
    "open: MalformedEventError: header ce-id is missing",
    'open: MalformedEventError: header ce-specversion is "0.3", not "1.0"',
    "open: MalformedEventError: the body's key differs from ce-partitionkey",
    "open: MalformedEventError: header x-request-id is not percent-encoded UTF-8",
    "open: MalformedEventError: header ce-specversion is missing",
  ]);
  expect(letters[4]!.headers["ce-id"]).toBe(id);
  expect(await countOf(orm, "shelf-1")).toBe(0);
});

test("a body that is not the event's message is poison", async () => {
  const { orm, bus } = await startReader([count]);
  const headers = encodeCloudEvent({
    id: "1",
    source: "/services/library",
    type: "library.v1.BookLent",
    time: new Date(),
    key: "shelf-1",
    data: new Uint8Array(),
  });
  await bus.js.publish(contract.subject, new Uint8Array([0x0a, 0x7f, 0x01]), { headers });
  await vi.waitFor(
    async () => expect(await orm.em.fork().count(DeadLetterRow, { state: "open" })).toBe(1),
    soon,
  );
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

test("failures of the database are not counted against the event", async () => {
  const { orm } = await libraryDatabase();
  const attempts: number[] = [];
  const { bus } = await startReader(
    [
      on(BookLentSchema, async (event, context) => {
        attempts.push(context.attempt);
        await count.handle(event, context);
        if (attempts.length <= 3) await context.em.execute("select pg_terminate_backend(pg_backend_pid())");
      }),
    ],
    { orm },
  );
  await publish(bus, {});
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-1")).toBe(1), {
    timeout: 18_000,
    interval: 50,
  });
  expect(attempts).toEqual([1, 1, 1, 1]);
  expect(await orm.em.fork().count(DeadLetterRow)).toBe(0);
}, 30_000);

test("a delivery that takes longer than ack_wait is rolled back and counts as failed", async () => {
  const { orm, bus } = await startReader([
    on(BookLentSchema, async (event, context) => {
      await count.handle(event, context);
      if (context.attempt === 1)
        await new Promise((resolve) =>
          context.signal.addEventListener("abort", () => setTimeout(resolve, 300)),
        );
    }),
  ]);
  await publish(bus, {});
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-1")).toBe(1), soon);
  await settled(bus);
  expect(await countOf(orm, "shelf-1")).toBe(1);
});

test("a deleted consumer is created again and repeats no effect", async () => {
  const { orm, bus } = await startReader([count]);
  await publish(bus, {});
  await settled(bus);
  await bus.jsm.consumers.delete(contract.stream, durable);
  await publish(bus, { shelfId: "shelf-2" });
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-2")).toBe(1), {
    timeout: 15_000,
    interval: 50,
  });
  await settled(bus);
  expect(await countOf(orm, "shelf-1")).toBe(1);
}, 30_000);

/** A bus whose first consumer on the server is stuck: pulls of it get nothing. */
async function stuckBus(url: string): Promise<Bus> {
  const bus = await libraryBus(url, "reader");
  await bus.connected();
  let stuck: string | undefined;
  const getConsumerFromInfo: typeof bus.js.consumers.getConsumerFromInfo = (info) => {
    const consumer = bus.js.consumers.getConsumerFromInfo(info);
    stuck ??= String(info.created);
    if (String(info.created) !== stuck) return consumer;
    const consume = async () => {
      const ended = Promise.withResolvers<{ done: true; value: undefined }>();
      return {
        [Symbol.asyncIterator]: () => ({ next: () => ended.promise }),
        stop: () => ended.resolve({ done: true, value: undefined }),
      };
    };
    return Object.create(consumer, { consume: { value: consume } });
  };
  return Object.create(bus, { js: { value: { consumers: { getConsumerFromInfo } } } });
}

test("a consumer that has events and delivers none is recreated by the watchdog", async () => {
  const { orm, bus, url, log, consumers } = await startReader([count]);
  await consumers.stop();
  await bus.jsm.consumers.delete(contract.stream, durable).catch(() => {});
  for (const shelfId of ["shelf-1", "shelf-2", "shelf-3"]) await publish(bus, { shelfId });
  const { meter, text } = createMetrics("reader");
  const [reader] = readersOf({ service: "reader", orm, handlers: [count], log });
  const stuck = await stuckBus(url);
  const loop = startConsumerLoop({ reader: reader!, bus: stuck, concurrency: 4, meter, watchEvery: 50 });
  onTestFinished(() => loop.stop());
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-3")).toBe(1), soon);
  await settled(bus);
  for (const shelfId of ["shelf-1", "shelf-2"]) expect(await countOf(orm, shelfId)).toBe(1);
  const restarts = /^weft_consumer_restarts_total\{consumer="reader__book_lent"\} (\d+)/m.exec(
    await text(),
  )?.[1];
  expect(Number(restarts)).toBe(2); // pulled anew, then recreated
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
  let finished = 0;
  const { orm, bus, consumers } = await startReader(
    [
      on(BookLentSchema, async (_event, { em }) => {
        begun.resolve();
        await em.execute("select pg_sleep(0.2)");
        finished++;
      }),
    ],
    { concurrency: 1 },
  );
  for (let revision = 1n; revision <= 5n; revision++) await publish(bus, { revision });
  await begun.promise;
  await consumers.stop();
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
