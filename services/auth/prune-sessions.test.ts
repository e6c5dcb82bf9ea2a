import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import { pruneSessions } from "./prune-sessions.ts";
import { storage } from "./storage.ts";

let orm: Awaited<ReturnType<typeof openDatabase>>;
beforeAll(async () => {
  orm = await openDatabase(await freshDatabase("auth"), storage, createLogger("auth", "silent"));
});
afterAll(() => orm?.close());

test("sessions that have been over for a day go with their tokens, the others stay", async () => {
  await orm.em.execute(
    `insert into accounts values ('01900000-0000-7000-9000-000000000001', 'ann@example.com', '-', '[]', now())`,
  );
  await orm.em.execute(
    `insert into sessions (id, user_id, started_at, expires_at, ended_at)
     select gen_random_uuid(), '01900000-0000-7000-9000-000000000001', now(), now() + expires, now() + ended
     from (values (interval '7 days', null), ('7 days', interval '-1 hour'), ('-1 hour', null),
                  ('-25 hours', null), ('7 days', '-25 hours')) kind (expires, ended),
          generate_series(1, 501)`,
  );
  await orm.em.execute(
    "insert into refresh_tokens (hash, session_id, created_at) select gen_random_uuid(), id, now() from sessions",
  );
  expect(await pruneSessions(orm)).toBe(2 * 501);
  expect(await pruneSessions(orm)).toBe(0);
  const [left] = await orm.em.execute(
    "select (select count(*)::int from sessions) as sessions, (select count(*)::int from refresh_tokens) as tokens",
  );
  expect(left).toEqual({ sessions: 3 * 501, tokens: 3 * 501 });
});
