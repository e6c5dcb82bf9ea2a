import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { runInContext } from "#mesh/runtime/telemetry/context.ts";
import { onEventsCommitted } from "./commit-signal.ts";
import { OutboxRow, payloadLimit, recordEvent } from "./outbox.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryDatabase, ShelfRow } from "./testdata/library-service.ts";

const { BookLentSchema } = libraryContract();
const lent = { shelfId: "shelf-1", revision: 1n, title: "Emma" };

test("an event is stored with the transaction that records it", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.fork().transactional(async (tx) => {
    tx.create(ShelfRow, { id: "shelf-1", lent: 1 });
    recordEvent(tx, BookLentSchema, lent);
  });
  const [row] = await orm.em.fork().find(OutboxRow, {});
  expect(row).toMatchObject({
    type: "library.v1.BookLent",
    subject: "library.v1.book_lent",
    stream: "LIBRARY_V1",
    key: "shelf-1",
    version: "1",
    publishedAt: null,
    streamSequence: null,
  });
  expect(fromBinary(BookLentSchema, row!.payload)).toMatchObject(lent);
  expect(await orm.em.fork().count(ShelfRow)).toBe(1);
});

test("an event goes when its transaction is rolled back", async () => {
  const { orm } = await libraryDatabase();
  const failing = orm.em.fork().transactional(async (tx) => {
    tx.create(ShelfRow, { id: "shelf-1", lent: 1 });
    recordEvent(tx, BookLentSchema, lent);
    await tx.flush();
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await orm.em.fork().count(OutboxRow)).toBe(0);
  expect(await orm.em.fork().count(ShelfRow)).toBe(0);
});

test("the transaction is rolled back when its event cannot be stored", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.execute("alter table outbox add check (key <> 'shelf-1')");
  const failing = orm.em.fork().transactional(async (tx) => {
    tx.create(ShelfRow, { id: "shelf-1", lent: 1 });
    recordEvent(tx, BookLentSchema, lent);
  });
  await expect(failing).rejects.toThrow("outbox");
  expect(await orm.em.fork().count(ShelfRow)).toBe(0);
});

test("an event of a nested transaction goes with its savepoint", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.fork().transactional(async (tx) => {
    recordEvent(tx, BookLentSchema, { ...lent, title: "outer" });
    await tx
      .transactional(async (inner) => {
        recordEvent(inner, BookLentSchema, { ...lent, title: "undone" });
        throw new Error("no");
      })
      .catch(() => {});
    await tx.transactional(async (inner) => recordEvent(inner, BookLentSchema, { ...lent, title: "inner" }));
  });
  const rows = await orm.em.fork().find(OutboxRow, {}, { orderBy: { position: "asc" } });
  expect(rows.map(({ payload }) => fromBinary(BookLentSchema, payload).title)).toEqual(["inner", "outer"]);
});

test("an event is stored by em.begin and em.commit, and forgotten by em.rollback", async () => {
  const { orm } = await libraryDatabase();
  const em = orm.em.fork();
  await em.begin();
  recordEvent(em, BookLentSchema, { ...lent, title: "forgotten" });
  await em.rollback();
  await em.begin();
  recordEvent(em, BookLentSchema, { ...lent, title: "kept" });
  await em.commit();
  const rows = await orm.em.fork().find(OutboxRow, {});
  expect(rows.map(({ payload }) => fromBinary(BookLentSchema, payload).title)).toEqual(["kept"]);
});

test("positions of one key follow its commits, even when the later transaction flushed first", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.execute("insert into shelves (id) values ('shelf-1')");
  const flushed = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const first = orm.em.fork().transactional(async (tx) => {
    recordEvent(tx, BookLentSchema, { ...lent, title: "second" });
    await tx.flush();
    flushed.resolve();
    await locked.promise;
    // waits for the row lock of the other transaction
    await tx.nativeUpdate(ShelfRow, { id: "shelf-1" }, { lent: 2 });
  });
  await flushed.promise;
  await orm.em.fork().transactional(async (tx) => {
    await tx.nativeUpdate(ShelfRow, { id: "shelf-1" }, { lent: 1 });
    locked.resolve();
    recordEvent(tx, BookLentSchema, { ...lent, title: "first" });
  });
  await first;
  const rows = await orm.em.fork().find(OutboxRow, {}, { orderBy: { position: "asc" } });
  expect(rows.map(({ payload }) => fromBinary(BookLentSchema, payload).title)).toEqual(["first", "second"]);
});

test("an event carries the request id and trace of the request that records it", async () => {
  const { orm } = await libraryDatabase();
  const context = {
    requestId: "request-1",
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    traceFlags: "01",
  };
  await runInContext(context, () =>
    orm.em.fork().transactional(async (tx) => recordEvent(tx, BookLentSchema, lent)),
  );
  const [row] = await orm.em.fork().find(OutboxRow, {});
  expect(row!.headers).toEqual({
    requestId: "request-1",
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  });
});

test("relays hear of a commit with events, and of nothing else", async () => {
  const { orm, open } = await libraryDatabase();
  let commits = 0;
  const forget = onEventsCommitted(orm.em, () => commits++);
  onEventsCommitted((await open()).em, () => expect.unreachable("another database connection"));
  const record = () => orm.em.fork().transactional(async (tx) => recordEvent(tx, BookLentSchema, lent));
  await record();
  expect(commits).toBe(1);
  await orm.em.fork().transactional(async (tx) => void tx.create(ShelfRow, { id: "shelf-1", lent: 1 }));
  await orm.em
    .fork()
    .transactional(async (tx) => {
      recordEvent(tx, BookLentSchema, lent);
      throw new Error("no");
    })
    .catch(() => {});
  expect(commits).toBe(1);
  forget();
  await record();
  expect(commits).toBe(1);
});

test("an event outside a transaction, without a key or beyond the size limit is refused", async () => {
  const { orm } = await libraryDatabase();
  expect(() => recordEvent(orm.em.fork(), BookLentSchema, lent)).toThrow("needs a transaction");
  await orm.em.fork().transactional(async (tx) => {
    expect(() => recordEvent(tx, BookLentSchema, { ...lent, shelfId: "" })).toThrow("shelf_id");
    const title = "x".repeat(payloadLimit);
    expect(() => recordEvent(tx, BookLentSchema, { ...lent, title })).toThrow("at most");
  });
  expect(await orm.em.fork().count(OutboxRow)).toBe(0);
});
