/** Events that cannot be handled: kept with their history, out of the way of the others. */

import { expect, test, vi } from "vitest";
import { encodeCloudEvent } from "./cloud-events.ts";
import { on, PermanentEventError } from "./consumers.ts";
import { DeadLetterRow, InboxRow } from "./inbox.ts";
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
