import { fromBinary } from "@bufbuild/protobuf";
import type { MikroORM } from "@mikro-orm/postgresql";
import { jetstreamManager } from "@nats-io/jetstream";
import { expect, onTestFinished, test, vi } from "vitest";
import { isDatabaseUnavailable } from "#mesh/runtime/storage/sql-state.ts";
import { freshBus } from "../../../test/system/fresh.ts";
import type { Bus } from "./bus.ts";
import { decodeCloudEvent } from "./cloud-events.ts";
import { OutboxRow, recordEvent } from "./outbox.ts";
import { type RelayParts, startOutboxRelay } from "./relay.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryBus, libraryDatabase, recordingLog, ShelfRow } from "./testdata/library-service.ts";

const { BookLentSchema } = libraryContract();
const stream = "LIBRARY_V1";
const soon = { timeout: 60_000, interval: 20 };

/** Lends one book of a shelf: the revision is the shelf's count of loans. */
async function lend(orm: MikroORM, shelfId: string, holdMs = 0, title = "Emma"): Promise<void> {
  await orm.em.fork().transactional(async (tx) => {
    const [shelf] = await tx.execute<{ lent: number }[]>(
      "insert into shelves (id, lent) values (?, 1) on conflict (id) do update set lent = shelves.lent + 1 returning lent",
      [shelfId],
    );
    recordEvent(tx, BookLentSchema, { shelfId, revision: BigInt(shelf!.lent), title });
    if (holdMs > 0) await tx.execute("select pg_sleep(?)", [holdMs / 1_000]);
  });
}

function relayOn(
  parts: Omit<RelayParts, "events" | "log">,
): ReturnType<typeof startOutboxRelay> & { lines: ReturnType<typeof recordingLog>["lines"] } {
  const { log, lines } = recordingLog();
  const relay = startOutboxRelay({ events: [BookLentSchema], log, ...parts });
  onTestFinished(() => relay.stop());
  return { ...relay, lines };
}

/** Every message of the stream in order. */
async function messagesOf(
  bus: Bus,
): Promise<{ id: string; shelfId: string; revision: bigint; title: string }[]> {
  await bus.connected();
  const manager = await jetstreamManager(bus.connection);
  const { state } = await manager.streams.info(stream);
  const messages = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const stored = await manager.streams.getMessage(stream, { seq });
    if (!stored) continue;
    const event = decodeCloudEvent(stored.header, stored.data);
    messages.push({ id: event.id, ...fromBinary(BookLentSchema, event.data) });
  }
  return messages;
}

/** A bus that waits for `then` after each acknowledgement. */
function afterPublish(bus: Bus, then: () => Promise<void>): Bus {
  const publish: Bus["js"]["publish"] = async (...args) => {
    const ack = await bus.js.publish(...args);
    await then();
    return ack;
  };
  return Object.create(bus, { js: { get: () => ({ publish }) } });
}

const unpublished = (orm: MikroORM) => orm.em.fork().count(OutboxRow, { publishedAt: null });

/** Fails unless the revisions of each shelf are 1, 2, 3, ... in the order of the stream. */
function expectOrderPerShelf(messages: { shelfId: string; revision: bigint }[]): void {
  for (const [shelf, same] of Map.groupBy(messages, ({ shelfId }) => shelfId))
    expect(
      same.map(({ revision }) => revision),
      shelf,
    ).toEqual(same.map((_, index) => BigInt(index + 1)));
}

test("a committed event is published, and its row remembers where", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "library");
  relayOn({ orm, bus });
  await lend(orm, "shelf-0");
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  const [row] = await orm.em.fork().find(OutboxRow, {});
  expect(row).toMatchObject({ streamSequence: 1n });
  expect(await messagesOf(bus)).toMatchObject([{ id: row!.id, shelfId: "shelf-0", revision: 1n }]);
});

test("two relays and 8 writers that hold their transactions skip nothing and keep each key in order", async () => {
  const { orm, open } = await libraryDatabase();
  const url = await freshBus();
  const bus = await libraryBus(url, "library");
  relayOn({ orm, bus });
  relayOn({ orm: await open(), bus: await libraryBus(url, "library") });
  const writer = async (index: number) => {
    for (let event = 0; event < 40; event++)
      await lend(orm, `shelf-${(index + event) % 5}`, (index * 7 + event) % 25);
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => writer(index)));
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);

  const messages = await messagesOf(bus);
  expect(messages).toHaveLength(320);
  expectOrderPerShelf(messages);
});

/** Events of the next test. The whole proof is OUTBOX_EVENTS=96000, which takes some ten minutes. */
const manyEvents = Number(process.env.OUTBOX_EVENTS ?? 64 * 6);
const timeForMany = 120_000 + manyEvents * 15;

test(
  "64 writers that hold their transactions up to half a second, and three relays: nothing is skipped",
  async () => {
    const { orm, open } = await libraryDatabase();
    const url = await freshBus();
    const relays = await Promise.all([open(), open(), open()]);
    for (const relayOrm of relays) relayOn({ orm: relayOrm, bus: await libraryBus(url, "library") });
    const writers = 64;
    const perWriter = manyEvents / writers;
    const pool = await open(writers);
    const writer = async (index: number) => {
      for (let event = 0; event < perWriter; event++) {
        // Two writers for each shelf; one that waits too long for the other's lock tries again.
        const shelf = `shelf-${(index * 7 + event) % (writers / 2)}`;
        const holdMs = (index * 131 + event * 97) % 500;
        while (!(await lend(pool, shelf, holdMs).then(() => true, laterIfBusy)));
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, index) => writer(index)));
    await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), { timeout: 60_000, interval: 50 });

    const messages = await messagesOf(await libraryBus(url, "library"));
    const rows = await orm.em.fork().find(OutboxRow, {});
    expect(messages).toHaveLength(rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(writers * perWriter);
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(rows.map(({ id }) => id)));
    expectOrderPerShelf(messages);
  },
  timeForMany,
);

/** false for a lock or a connection that was not to be had in time; everything else fails the test. */
function laterIfBusy(error: unknown): false {
  if (!isDatabaseUnavailable(error)) throw error;
  return false;
}

test("two relays share a backlog, and neither overtakes the other within a key", async () => {
  const { orm, open } = await libraryDatabase();
  const url = await freshBus();
  const bus = await libraryBus(url, "library");
  const shares = [0, 0];
  const bothAtWork = Promise.withResolvers<void>();
  for (const index of shares.keys()) {
    const waiting = afterPublish(await libraryBus(url, "library"), async () => {
      shares[index]!++;
      if (Math.min(...shares) > 0) bothAtWork.resolve();
      await bothAtWork.promise;
    });
    const { lines } = relayOn({ orm: await open(), bus: waiting });
    await vi.waitFor(
      () => expect(lines.some(([, , text]) => text === "the stream is ready")).toBe(true),
      soon,
    );
  }
  await orm.em.fork().transactional(async (tx) => {
    for (let event = 0; event < 600; event++) {
      const shelfId = `shelf-${event % 30}`;
      recordEvent(tx, BookLentSchema, {
        shelfId,
        revision: BigInt(Math.floor(event / 30) + 1),
        title: "Emma",
      });
    }
  });
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  const messages = await messagesOf(bus);
  expect(messages).toHaveLength(600);
  expectOrderPerShelf(messages);
  expect(shares[0]! + shares[1]!).toBe(600);
});

test("a relay that dies between acknowledgement and mark repeats the events and loses none", async () => {
  const { orm, open } = await libraryDatabase();
  const url = await freshBus();
  const bus = await libraryBus(url, "library");
  for (let event = 0; event < 30; event++) await lend(orm, `shelf-${event % 3}`);
  await bus.connected();
  let acknowledged = 0;
  const dying = afterPublish(bus, async () => {
    if (++acknowledged === 10)
      await orm.em.execute(
        `select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = database
         where locktype = 'advisory' and datname = current_database()`,
      );
  });
  const { lines } = relayOn({ orm: await open(), bus: dying });
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  expect(lines.some(([level]) => level === "warn")).toBe(true);
  expect(acknowledged).toBeGreaterThan(30);
  const messages = await messagesOf(bus);
  expect(messages).toHaveLength(30);
  expectOrderPerShelf(messages);
});

test("an event that the broker refuses holds up its own key only", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "library");
  await orm.em.execute(
    `create function spoil() returns trigger language plpgsql as $$ begin new.stream := 'OTHER'; return new; end $$;
     create trigger spoil before insert on outbox for each row when (new.key = 'shelf-1' and new.version = 2)
       execute function spoil()`,
  );
  await orm.em.fork().transactional(async (tx) => {
    for (const revision of [1n, 2n, 3n])
      for (const shelfId of ["shelf-1", "shelf-2"])
        recordEvent(tx, BookLentSchema, { shelfId, revision, title: "Emma" });
  });
  const { lines } = relayOn({ orm, bus });
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(2), soon);
  await vi.waitFor(() => expect(lines.some(([, { key }]) => key === "shelf-1")).toBe(true), soon);
  await lend(orm, "shelf-3");
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(2), soon);
  expect((await messagesOf(bus)).filter(({ shelfId }) => shelfId === "shelf-1")).toHaveLength(1);

  await orm.em.execute("update outbox set stream = ? where stream = 'OTHER'", [stream]);
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  expectOrderPerShelf(await messagesOf(bus));
});

test("a deleted stream is built again from the outbox, in order, before anything newer", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "library");
  relayOn({ orm, bus });
  for (let event = 0; event < 20; event++) await lend(orm, `shelf-${event % 3}`);
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  const before = await messagesOf(bus);

  await bus.jsm.streams.delete(stream);
  await lend(orm, "shelf-0");
  await vi.waitFor(async () => expect((await messagesOf(bus)).length).toBe(21), soon);
  const after = await messagesOf(bus);
  expect(new Set(after.map(({ id }) => id)).size).toBe(21);
  expectOrderPerShelf(after);
  expect(before.every(({ id }) => after.some((again) => again.id === id))).toBe(true);
});

test("a stream that vanished while no relay ran is built again by the next one", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "library");
  const first = relayOn({ orm, bus });
  for (let event = 0; event < 6; event++) await lend(orm, "shelf-0");
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  await first.stop();
  await bus.jsm.streams.delete(stream);

  const second = relayOn({ orm, bus });
  await vi.waitFor(async () => expect(await messagesOf(bus)).toHaveLength(6), soon);
  expectOrderPerShelf(await messagesOf(bus));
  expect(second.lines.some(([level, { events }]) => level === "warn" && events === 6)).toBe(true);
});

test("an idle relay notices a vanished stream by itself", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "library");
  relayOn({ orm, bus });
  await lend(orm, "shelf-0");
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  await bus.jsm.streams.delete(stream);
  await vi.waitFor(async () => expect(await messagesOf(bus)).toHaveLength(1), soon);
});

test("rows beyond the end of a stream that lost its last events go out again", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus(await freshBus(), "library");
  const first = relayOn({ orm, bus });
  for (let event = 0; event < 3; event++) await lend(orm, "shelf-0");
  await vi.waitFor(async () => expect(await unpublished(orm)).toBe(0), soon);
  await first.stop();
  // As after a power failure: the outbox knows of acknowledgements that the stream has lost.
  await orm.em.execute("update outbox set id = gen_random_uuid(), stream_sequence = stream_sequence + 2");

  relayOn({ orm, bus });
  await vi.waitFor(async () => expect(await messagesOf(bus)).toHaveLength(5), soon);
  expect((await messagesOf(bus)).map(({ revision }) => revision)).toEqual([1n, 2n, 3n, 2n, 3n]);
});

test("events recorded while NATS is away are published when it is back", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus("nats://nobody:nothing@127.0.0.1:1", "library");
  const relay = relayOn({ orm, bus });
  await lend(orm, "shelf-0");
  expect(bus.isConnected()).toBe(false);
  await relay.stop();
  expect(await unpublished(orm)).toBe(1);
  expect(await orm.em.fork().count(ShelfRow)).toBe(1);
});
