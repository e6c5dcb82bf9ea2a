import { expect, test } from "vitest";
import { DeadLetterRow, InboxRow } from "./inbox.ts";
import { OutboxRow, recordEvent } from "./outbox.ts";
import { pruneEventTables } from "./prune.ts";
import { libraryContract } from "./testdata/library.ts";
import { libraryDatabase } from "./testdata/library-service.ts";

const { BookLentSchema } = libraryContract();

test("published rows go after 7 days, unpublished ones never", async () => {
  const { orm } = await libraryDatabase();
  for (const title of ["old", "young", "waiting"])
    await orm.em.fork().transactional(async (tx) => {
      recordEvent(tx, BookLentSchema, { shelfId: title, revision: 1n, title });
    });
  await orm.em.execute("insert into outbox_streams values ('LIBRARY_V1', 'now')");
  await orm.em.execute(
    `update outbox set stream_sequence = position, published_at = now() - case key when 'old' then interval '7 days 1 minute' else interval '6 days' end
     where key <> 'waiting'`,
  );
  await orm.em.execute("update outbox set created_at = now() - interval '1 year'");
  await pruneEventTables(orm);
  const rows = await orm.em.fork().find(OutboxRow, {}, { orderBy: { position: "asc" } });
  expect(rows.map(({ key }) => key)).toEqual(["young", "waiting"]);
});

test("inbox rows outlive the longest a message can come again", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.execute(
    `insert into inbox select 'reader__book_lent', day::text, now() - day * interval '1 day 1 minute' from generate_series(6, 9) day`,
  );
  await pruneEventTables(orm);
  const rows = await orm.em.fork().find(InboxRow, {}, { orderBy: { eventId: "asc" } });
  expect(rows.map(({ eventId }) => eventId)).toEqual(["6", "7"]);
});

test("more rows than one batch go in one run", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.execute(
    "insert into inbox select 'reader__book_lent', n::text, now() - interval '9 days' from generate_series(1, 2500) n",
  );
  await pruneEventTables(orm);
  expect(await orm.em.fork().count(InboxRow)).toBe(0);
});

test("a failure that nobody has tried again for a day becomes a dead letter", async () => {
  const { orm } = await libraryDatabase();
  await orm.em.execute(
    `insert into dead_letters (id, consumer, event_id, type, subject, key, payload, headers, cause, attempts, history,
       state, stream, stream_sequence, last_failed_at)
     select gen_random_uuid(), 'reader__book_lent', n::text, 't', 's', 'k', '', '{}', 'c', 1, '[]', 'retrying', 'S', 1,
       now() - n * interval '13 hours' from generate_series(1, 2) n`,
  );
  await pruneEventTables(orm);
  const rows = await orm.em.fork().find(DeadLetterRow, {}, { orderBy: { eventId: "asc" } });
  expect(rows.map(({ state }) => state)).toEqual(["retrying", "open"]);
});
