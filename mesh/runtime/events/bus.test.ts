/** Relay, stream and consumer together, with the rights that services have, while NATS comes and goes. */
import type { MikroORM } from "@mikro-orm/postgresql";
import { expect, onTestFinished, test, vi } from "vitest";
import { BusAwayError, connectBus } from "./bus.ts";
import { on, startConsumers } from "./consumers.ts";
import { InboxRow } from "./inbox.ts";
import { recordEvent } from "./outbox.ts";
import { startOutboxRelay } from "./relay.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryBus, libraryDatabase, recordingLog } from "./testdata/library-service.ts";
import { type OwnNats, ownNats } from "./testdata/nats-server.ts";

const { BookLentSchema } = libraryContract({
  consumers: [{ service: "reader", maxDeliver: 3, backoff: [50] }],
});
const soon = { timeout: 60_000, interval: 25 };

async function record(orm: MikroORM, title: string): Promise<void> {
  await orm.em.fork().transactional(async (tx) => {
    recordEvent(tx, BookLentSchema, { shelfId: "shelf-1", revision: 1n, title });
  });
}

/** A library that publishes and a reader that notes titles; the reader's effects are rows in its database. */
async function startBoth(nats: OwnNats) {
  const [library, reader] = await Promise.all([libraryDatabase(), libraryDatabase()]);
  const logs = [recordingLog(), recordingLog()] as const;
  const libraryConnection = await libraryBus(nats.url("library"), "library", logs[0].log);
  const readerConnection = await libraryBus(nats.url("reader"), "reader", logs[1].log);
  const relay = startOutboxRelay({
    orm: library.orm,
    bus: libraryConnection,
    events: [BookLentSchema],
    log: logs[0].log,
  });
  const titles: string[] = [];
  const handler = on(BookLentSchema, async ({ title }) => {
    titles.push(title);
  });
  const consumers = startConsumers({
    service: "reader",
    orm: reader.orm,
    bus: readerConnection,
    handlers: [handler],
    log: logs[1].log,
  });
  onTestFinished(async () => {
    await Promise.all([relay.stop(), consumers.stop()]);
  });
  return { library: library.orm, reader: reader.orm, titles, libraryConnection };
}

test("services start without NATS, and events flow once it is there, with least rights", async () => {
  const nats = await ownNats();
  const { library, titles, libraryConnection } = await startBoth(nats);
  await record(library, "Emma");
  expect(libraryConnection.isConnected()).toBe(false);
  expect(() => libraryConnection.js).toThrow(BusAwayError);
  await nats.start();
  await vi.waitFor(() => expect(titles).toEqual(["Emma"]), soon);
  expect(libraryConnection.isConnected()).toBe(true);
});

test("events recorded while a killed NATS is down arrive when it is back, each once", async () => {
  const nats = await ownNats();
  await nats.start();
  const { library, reader, titles } = await startBoth(nats);
  await record(library, "1");
  await vi.waitFor(() => expect(titles).toEqual(["1"]), soon);
  await nats.kill();
  await record(library, "2");
  await nats.start();
  await record(library, "3");
  await vi.waitFor(() => expect(titles).toEqual(["1", "2", "3"]), soon);
  await vi.waitFor(async () => expect(await reader.em.fork().count(InboxRow)).toBe(3), soon);
});

test("a lost store is filled again from the outbox, and readers repeat nothing", async () => {
  const nats = await ownNats();
  await nats.start();
  const { library, reader, titles, libraryConnection } = await startBoth(nats);
  for (const title of ["1", "2", "3"]) await record(library, title);
  await vi.waitFor(() => expect(titles).toHaveLength(3), soon);
  await nats.kill();
  nats.loseStore();
  await nats.start();
  await record(library, "4");
  await vi.waitFor(() => expect(titles).toEqual(["1", "2", "3", "4"]), soon);
  expect((await libraryConnection.jsm.streams.info("LIBRARY_V1")).state.messages).toBe(4);
  await vi.waitFor(async () => expect(await reader.em.fork().count(InboxRow)).toBe(4), soon);
});

test("a bus that is closed while NATS is away ends, and its waiters learn of it", async () => {
  const bus = await connectBus({ url: "nats://127.0.0.1:1", service: "library", log: recordingLog().log });
  const waiting = expect(bus.connected()).rejects.toThrow(BusAwayError);
  await bus.close();
  await waiting;
  await expect(bus.connected()).rejects.toThrow("closed");
});

test("a wrong password is reported once and tried on, without the password in the log", async () => {
  const nats = await ownNats();
  await nats.start();
  const { log, lines } = recordingLog();
  const bus = await libraryBus(nats.url("library").replace(/:[^:@]+@/, ":not-the-password@"), "library", log);
  await vi.waitFor(() => expect(lines.some(([level]) => level === "warn")).toBe(true), soon);
  expect(bus.isConnected()).toBe(false);
  expect(JSON.stringify(lines)).not.toContain("not-the-password");
});

test("an address that is none is refused without repeating it", async () => {
  const connecting = connectBus({ url: "//user:secret@host", service: "library", log: recordingLog().log });
  await expect(connecting).rejects.toThrow("cannot be parsed");
  await expect(connecting).rejects.not.toThrow("secret");
});
