/** The database, the broker or a handler lets the consumer down: it goes on, and no effect comes twice. */

import { expect, onTestFinished, test, vi } from "vitest";
import { createMetrics } from "#mesh/runtime/telemetry/metrics.ts";
import type { Bus } from "./bus.ts";
import { startConsumerLoop } from "./consumer-loop.ts";
import { on, readersOf } from "./consumers.ts";
import { DeadLetterRow } from "./inbox.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryBus, libraryDatabase } from "./testdata/library-service.ts";
import {
  BookLentSchema,
  contract,
  count,
  countOf,
  durable,
  publish,
  settled,
  soon,
  startReader,
} from "./testdata/reader.ts";

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
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-1")).toBe(1), soon);
  expect(attempts).toEqual([1, 1, 1, 1]);
  expect(await orm.em.fork().count(DeadLetterRow)).toBe(0);
});

test("a delivery that takes longer than ack_wait is rolled back and counts as failed", async () => {
  const { BookLentSchema: lentInAHurry } = libraryContract({
    consumers: [{ service: "reader", maxDeliver: 10, backoff: [50], ackWait: 2_000 }],
  });
  const { orm, bus } = await startReader([
    on(lentInAHurry, async (event, context) => {
      await count.handle(event, context);
      if (context.attempt === 1)
        await new Promise((resolve) => {
          const later = () => setTimeout(resolve, 300);
          if (context.signal.aborted) later();
          else context.signal.addEventListener("abort", later);
        });
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
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-2")).toBe(1), soon);
  await settled(bus);
  expect(await countOf(orm, "shelf-1")).toBe(1);
});

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
  const loop = startConsumerLoop({ reader: reader!, bus: stuck, concurrency: 4, meter, watchEvery: 300 });
  onTestFinished(() => loop.stop());
  await vi.waitFor(async () => expect(await countOf(orm, "shelf-3")).toBe(1), soon);
  await settled(bus);
  for (const shelfId of ["shelf-1", "shelf-2"]) expect(await countOf(orm, shelfId)).toBe(1);
  const restarts = /^weft_consumer_restarts_total\{consumer="reader__book_lent"\} (\d+)/m.exec(
    await text(),
  )?.[1];
  // Pulled anew, then recreated; on a slow machine it may be found idle once more before it begins.
  expect(Number(restarts)).toBeGreaterThanOrEqual(2);
});
