/** Dead letters through the contract of the kit, as an operator meets them. */
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { expect, onTestFinished, test, vi } from "vitest";
import { DeadLetter_State, DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { freshBus } from "../../../test/system/fresh.ts";
import { refusal } from "../../../test/system/refusal.ts";
import { renderErrors } from "../rpc/render-errors.ts";
import { createLogger } from "../telemetry/log.ts";
import { encodeCloudEvent } from "./cloud-events.ts";
import { on, readersOf, startConsumers } from "./consumers.ts";
import { deadLetterRpc } from "./dead-letter-service.ts";
import { DeadLetterRow, recordFailure } from "./dead-letters.ts";
import { recordEvent } from "./outbox.ts";
import { startOutboxRelay } from "./relay.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryBus, libraryDatabase, recordingLog, ShelfRow } from "./testdata/library-service.ts";

const { RETRYING, OPEN, REPLAYED, DROPPED } = DeadLetter_State;
const { BookLentSchema } = libraryContract({
  consumers: [{ service: "reader", maxDeliver: 2, backoff: [20] }],
});
const soon = { timeout: 60_000, interval: 20 };

/** A reader whose handler counts loans on the shelf, unless it is told to fail. */
async function reader() {
  const { orm } = await libraryDatabase();
  const { log, lines } = recordingLog();
  const fault: { error?: Error } = {};
  const handlers = [
    on(BookLentSchema, async ({ shelfId }, { em }) => {
      await em.execute(
        "insert into shelves (id, lent) values (?, 1) on conflict (id) do update set lent = shelves.lent + 1",
        [shelfId],
      );
      if (fault.error) throw fault.error;
    }),
  ];
  const readers = readersOf({ service: "reader", orm, handlers, log });
  const transport = createRouterTransport(
    (router) => router.service(DeadLetterService, deadLetterRpc({ orm, log, readers })),
    { router: { interceptors: [renderErrors(createLogger("reader", "silent"))] } },
  );
  const lent = async (shelfId: string) => (await orm.em.fork().findOne(ShelfRow, { id: shelfId }))?.lent ?? 0;

  /** A dead letter as deliver.ts leaves it. */
  async function given(shelfId: string, { tries = 2, title = "Emma", type = "library.v1.BookLent" } = {}) {
    const id = uuidv7();
    const event = { id, source: "/services/library", type, time: new Date(), key: shelfId, version: 1n };
    const payload = toBinary(BookLentSchema, create(BookLentSchema, { shelfId, revision: 1n, title }));
    const headers = encodeCloudEvent({ ...event, data: payload });
    const delivery = {
      ...{ consumer: "reader__book_lent", eventId: id, type, key: shelfId, payload },
      ...{ subject: "library.v1.book_lent", stream: "LIBRARY_V1", streamSequence: 7 },
      headers: Object.fromEntries(headers.keys().map((name) => [name.toLowerCase(), headers.get(name)])),
    };
    for (let count = 0; count < tries; count++)
      await recordFailure(orm.em.fork(), delivery, new Error("the shelf is locked"), 2);
    const [row] = await orm.em.execute<{ id: string }[]>("select id from dead_letters where event_id = ?", [
      id,
    ]);
    return row!.id;
  }
  return {
    orm,
    log,
    lines,
    fault,
    handlers,
    lent,
    given,
    client: createClient(DeadLetterService, transport),
  };
}

test("a dead letter shows what the event was, what went wrong and when", async () => {
  const { client, given } = await reader();
  const id = await given("shelf-1");
  const letter = await client.getDeadLetter({ id });
  expect(letter).toMatchObject({
    consumer: "reader__book_lent",
    type: "library.v1.BookLent",
    key: "shelf-1",
    state: OPEN,
    cause: "Error: the shelf is locked",
    attempts: 2,
    stream: "LIBRARY_V1",
    streamSequence: 7n,
    payload: { shelfId: "shelf-1", revision: "1", title: "Emma" },
    settledBy: "",
  });
  expect(letter.history.map(({ cause, actor }) => [cause, actor])).toEqual([
    ["Error: the shelf is locked", ""],
    ["Error: the shelf is locked", ""],
  ]);
  expect(letter.headers["ce-type"]).toBe("library.v1.BookLent");
});

test("a replay has the effect once, says who, and changes nothing when it is repeated", async () => {
  const { client, given, lent, lines } = await reader();
  const id = await given("shelf-1");
  const replayed = await client.replayDeadLetter({ id, actor: "ann" });
  expect(replayed).toMatchObject({ state: REPLAYED, settledBy: "ann", attempts: 2 });
  expect(replayed.settledAt).toBeDefined();
  expect(await lent("shelf-1")).toBe(1);
  expect(await client.replayDeadLetter({ id, actor: "bob" })).toEqual(replayed);
  expect(await lent("shelf-1")).toBe(1);
  expect(lines.filter(([, { audit }]) => audit).map(([, { action, actor }]) => [action, actor])).toEqual([
    ["replay", "ann"],
  ]);
});

test("ten replays at once have one effect", async () => {
  const { client, given, lent } = await reader();
  const id = await given("shelf-1");
  const calls = Array.from({ length: 10 }, (_, index) =>
    client.replayDeadLetter({ id, actor: `ann-${index}` }),
  );
  const settled = await Promise.all(calls);
  expect(new Set(settled.map(({ settledBy }) => settledBy)).size).toBe(1);
  expect(await lent("shelf-1")).toBe(1);
});

test("a replay that fails leaves it open, and the history says whose it was", async () => {
  const { client, given, lent, fault } = await reader();
  const id = await given("shelf-1");
  fault.error = new Error("still locked");
  const failed = client.replayDeadLetter({ id, actor: "ann" });
  await expect(failed).rejects.toThrow("the replay failed: Error: still locked");
  expect(await refusal(failed)).toMatchObject({ code: Code.FailedPrecondition, reason: "REPLAY_FAILED" });
  const letter = await client.getDeadLetter({ id });
  expect(letter).toMatchObject({ state: OPEN, attempts: 3, cause: "Error: still locked", settledBy: "" });
  expect(letter.history.at(-1)).toMatchObject({ cause: "Error: still locked", actor: "ann" });
  expect(await lent("shelf-1")).toBe(0);
  fault.error = undefined;
  expect((await client.replayDeadLetter({ id, actor: "ann" })).state).toBe(REPLAYED);
  expect(await lent("shelf-1")).toBe(1);
});

test("an event that is still being retried can be replayed before its time", async () => {
  const { client, given, lent } = await reader();
  const id = await given("shelf-1", { tries: 1 });
  expect((await client.getDeadLetter({ id })).state).toBe(RETRYING);
  expect(await client.replayDeadLetter({ id, actor: "ann" })).toMatchObject({
    state: REPLAYED,
    settledBy: "ann",
  });
  expect(await lent("shelf-1")).toBe(1);
});

test("a dropped event cannot be replayed, nor a replayed one dropped", async () => {
  const { client, given, lent } = await reader();
  const id = await given("shelf-1");
  const dropped = await client.dropDeadLetter({ id, actor: "ann" });
  expect(dropped).toMatchObject({ state: DROPPED, settledBy: "ann" });
  expect(await client.dropDeadLetter({ id, actor: "bob" })).toEqual(dropped);
  expect((await refusal(client.replayDeadLetter({ id, actor: "ann" }))).reason).toBe("DEAD_LETTER_DROPPED");
  expect(await lent("shelf-1")).toBe(0);
  const other = await given("shelf-2");
  await client.replayDeadLetter({ id: other, actor: "ann" });
  expect((await refusal(client.dropDeadLetter({ id: other, actor: "ann" }))).reason).toBe(
    "DEAD_LETTER_REPLAYED",
  );
});

test("a try that fails when another one has succeeded already does not open the dead letter again", async () => {
  const { client, given, orm, lent } = await reader();
  const id = await given("shelf-1");
  const before = await orm.em.fork().findOneOrFail(DeadLetterRow, { id });
  await client.replayDeadLetter({ id, actor: "ann" });
  // A replay, or a delivery, that began before and ends after.
  await recordFailure(orm.em.fork(), before, new Error("the shelf was locked"), 2, "bob");
  expect(await client.getDeadLetter({ id })).toMatchObject({
    state: REPLAYED,
    settledBy: "ann",
    attempts: 3,
  });
  expect((await refusal(client.dropDeadLetter({ id, actor: "bob" }))).reason).toBe("DEAD_LETTER_REPLAYED");
  // An event of which nobody remembers that it was handled is another matter.
  await orm.em.execute("update dead_letters set settled_at = now() - interval '9 days' where id = ?", [id]);
  await recordFailure(orm.em.fork(), before, new Error("the shelf is locked"), 2);
  expect((await client.getDeadLetter({ id })).state).toBe(OPEN);
  expect(await lent("shelf-1")).toBe(1);
});

test("of a replay and a drop at once one happens, and only that one is reported", async () => {
  const { client, given, lent, lines } = await reader();
  for (let round = 0; round < 20; round++) {
    const shelf = `shelf-${round}`;
    const id = await given(shelf);
    lines.length = 0;
    const [replay, drop] = await Promise.allSettled([
      client.replayDeadLetter({ id, actor: "ann" }),
      client.dropDeadLetter({ id, actor: "bob" }),
    ]);
    const { state } = await client.getDeadLetter({ id });
    expect(await lent(shelf)).toBe(state === REPLAYED ? 1 : 0);
    expect([replay.status, drop.status]).toEqual(
      state === REPLAYED ? ["fulfilled", "rejected"] : ["rejected", "fulfilled"],
    );
    expect(lines.flatMap(([, { audit, action }]) => (audit ? [action] : []))).toEqual([
      state === REPLAYED ? "replay" : "drop",
    ]);
  }
});

test("an event that cannot be read says so, and stays", async () => {
  const { client, given } = await reader();
  const id = await given("shelf-1", { type: "library.v9.BookLent" });
  const letter = await client.getDeadLetter({ id });
  expect(letter.payload).toBeUndefined();
  expect(letter.payloadProblem).toContain('the type is "library.v9.BookLent"');
  expect((await refusal(client.replayDeadLetter({ id, actor: "ann" }))).reason).toBe("REPLAY_FAILED");
  expect((await client.getDeadLetter({ id })).state).toBe(OPEN);
});

test("an id that none has is not found", async () => {
  const { client } = await reader();
  const none = { id: uuidv7(), actor: "ann" };
  for (const call of [client.getDeadLetter, client.replayDeadLetter, client.dropDeadLetter])
    expect((await refusal(call(none))).reason).toBe("DEAD_LETTER_NOT_FOUND");
});

test("lists are filtered and paged, newest first", async () => {
  const { client, given } = await reader();
  const ids: string[] = [];
  for (let index = 0; index < 5; index++) ids.unshift(await given(`shelf-${index}`));
  const retrying = await given("shelf-9", { tries: 1 });
  const first = await client.listDeadLetters({ pageSize: 3 });
  const second = await client.listDeadLetters({ pageSize: 3, pageToken: first.nextPageToken });
  expect([...first.deadLetters, ...second.deadLetters].map(({ id }) => id)).toEqual(ids);
  expect(second.nextPageToken).toBe("");
  const { deadLetters } = await client.listDeadLetters({ states: [RETRYING], consumer: "reader__book_lent" });
  expect(deadLetters.map(({ id }) => id)).toEqual([retrying]);
  expect((await client.listDeadLetters({ consumer: "reader__other" })).deadLetters).toEqual([]);
  expect((await refusal(client.listDeadLetters({ pageToken: "x" }))).reason).toBe("PAGE_TOKEN_INVALID");
});

test("poison is given up, the others pass, and it is replayed or dropped after the stream is gone", async () => {
  const writer = await libraryDatabase();
  const { client, fault, handlers, orm, log, lent } = await reader();
  const url = await freshBus();
  const bus = await libraryBus(url, "library");
  const relay = startOutboxRelay({ orm: writer.orm, bus, events: [BookLentSchema], log });
  const poisonous = on(BookLentSchema, async (event, context) => {
    fault.error = event.title === "poison" ? new Error("no") : undefined;
    await handlers[0]!.handle(event, context);
  });
  const readerBus = await libraryBus(url, "reader");
  const parts = { service: "reader", orm, bus: readerBus, handlers: [poisonous], log };
  const consumers = startConsumers({ ...parts, concurrency: 1 });
  onTestFinished(async () => {
    await consumers.stop();
    await relay.stop();
  });
  await writer.orm.em.fork().transactional(async (tx) => {
    for (let index = 0; index < 20; index++)
      recordEvent(tx, BookLentSchema, {
        shelfId: `shelf-${index}`,
        revision: 1n,
        title: index % 10 === 3 ? "poison" : "Emma",
      });
  });
  const open = async () => (await client.listDeadLetters({})).deadLetters;
  await vi.waitFor(async () => expect(await open()).toHaveLength(2), soon);
  await vi.waitFor(async () => expect(await orm.em.fork().count(ShelfRow)).toBe(18), soon);

  await consumers.stop();
  await relay.stop();
  await bus.jsm.streams.delete("LIBRARY_V1");
  fault.error = undefined;
  const [dropped, replayed] = await open();
  await client.dropDeadLetter({ id: dropped!.id, actor: "ann" });
  await client.replayDeadLetter({ id: replayed!.id, actor: "ann" });
  expect(await open()).toEqual([]);
  expect(await lent(replayed!.key)).toBe(1);

  // The stream is built again and everything comes once more, to a handler that is mended: to no effect.
  const again = startConsumers({ ...parts, handlers, concurrency: 4 });
  const relayAgain = startOutboxRelay({ orm: writer.orm, bus, events: [BookLentSchema], log });
  await vi.waitFor(async () => {
    const info = await bus.jsm.consumers.info("LIBRARY_V1", "reader__book_lent");
    expect(info.ack_floor.stream_seq).toBe(20);
  }, soon);
  await again.stop();
  await relayAgain.stop();
  const shelves = await orm.em.fork().find(ShelfRow, {});
  expect(shelves.map((shelf) => shelf.lent)).toEqual(Array(19).fill(1));
  expect(await lent(dropped!.key)).toBe(0);
});
