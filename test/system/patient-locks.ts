import pg from "pg";
import { inject } from "vitest";

/**
 * Lets the sessions of a service wait eight times as long for a lock as it asks for: on a busy machine, those who
 * want one lock at the same time are not through in the half second that a service gives them.
 *
 * @param url of a fresh database
 */
export async function waitLongerForLocks(url: string): Promise<void> {
  const connectionString = new URL(inject("postgresAdminUrl"));
  connectionString.pathname = new URL(url).pathname;
  const admin = new pg.Client({ connectionString: connectionString.href });
  await admin.connect();
  try {
    await admin.query(`
      create schema patience;
      create function patience.wait_longer() returns event_trigger language plpgsql as $$
        begin
          if current_setting('lock_timeout') = '500ms' then
            perform set_config('lock_timeout', '4s', false);
          end if;
        end $$;
      create event trigger wait_longer on login execute function patience.wait_longer()`);
  } finally {
    await admin.end();
  }
}
