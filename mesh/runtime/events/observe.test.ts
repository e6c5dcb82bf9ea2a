import { expect, test, vi } from "vitest";
import { freshBus } from "../../../test/system/fresh.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { on, startConsumers } from "./consumers.ts";
import { observeEvents } from "./observe.ts";
import { recordEvent } from "./outbox.ts";
import { startOutboxRelay } from "./relay.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryBus, libraryDatabase, recordingLog } from "./testdata/library-service.ts";

const { BookLentSchema } = libraryContract({ consumers: [{ service: "reader", maxDeliver: 1 }] });
const soon = { timeout: 60_000, interval: 50 };

test("what waits, what is behind and what is dead can be read as numbers", async () => {
  const writer = await libraryDatabase();
  const reader = await libraryDatabase();
  const { log } = recordingLog();
  const url = await freshBus();
  const bus = await libraryBus(url, "library");
  const { meter, text } = createMetrics("library");
  const consumers = [{ consumer: "reader__book_lent", stream: "LIBRARY_V1" }];
  observeEvents(meter, { orm: writer.orm, bus, consumers });
  await writer.orm.em.fork().transactional(async (tx) => {
    for (const title of ["Emma", "poison", "Persuasion"])
      recordEvent(tx, BookLentSchema, { shelfId: "shelf-1", revision: 1n, title });
  });
  await writer.orm.em.execute("update outbox set created_at = created_at - interval '90 s'");
  await vi.waitFor(async () => expect(await text()).toContain("weft_outbox_unpublished 3"), soon);
  const before = await text();
  expect(Number(/^weft_outbox_oldest_seconds (\S+)/m.exec(before)?.[1])).toBeGreaterThanOrEqual(90);
  expect(before, "no such consumer yet").not.toContain("weft_consumer_pending{");

  const relay = startOutboxRelay({ orm: writer.orm, bus, events: [BookLentSchema], log, meter });
  await vi.waitFor(async () => expect(await text()).toContain("weft_outbox_published_total 3"), soon);
  await relay.stop();
  await vi.waitFor(async () => expect(await text()).toContain("weft_outbox_unpublished 0"), soon);

  const readerMetrics = createMetrics("reader");
  const readerBus = await libraryBus(url, "reader");
  observeEvents(readerMetrics.meter, { orm: reader.orm, bus: readerBus, consumers });
  const handled = on(BookLentSchema, async ({ title }) => {
    if (title === "poison") throw new Error("no");
  });
  const running = startConsumers({
    service: "reader",
    orm: reader.orm,
    bus: readerBus,
    handlers: [handled],
    log,
    meter: readerMetrics.meter,
  });
  await vi.waitFor(async () => {
    const values = await readerMetrics.text();
    expect(values).toContain(
      'weft_consumer_deliveries_total{consumer="reader__book_lent",outcome="handled"} 2',
    );
    expect(values).toContain('weft_consumer_deliveries_total{consumer="reader__book_lent",outcome="dead"} 1');
    expect(values).toContain('weft_dead_letters{consumer="reader__book_lent",state="open"} 1');
    expect(values).toContain('weft_consumer_pending{consumer="reader__book_lent"} 0');
    expect(values).toContain('weft_consumer_in_flight{consumer="reader__book_lent"} 0');
  }, soon);
  await running.stop();
});

test("numbers that cannot be read now leave the others readable", async () => {
  const { orm } = await libraryDatabase();
  const bus = await libraryBus("nats://nobody:nothing@127.0.0.1:1", "library");
  const { meter, text } = createMetrics("library");
  observeEvents(meter, { orm, bus, consumers: [{ consumer: "reader__book_lent", stream: "LIBRARY_V1" }] });
  await orm.em.execute("drop table dead_letters");
  await vi.waitFor(async () => expect(await text()).toContain("weft_outbox_unpublished 0"), soon);
  expect(await text()).not.toContain("weft_dead_letters{");
});
