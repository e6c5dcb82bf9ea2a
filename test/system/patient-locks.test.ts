import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { freshDatabase } from "./fresh.ts";
import { waitLongerForLocks } from "./patient-locks.ts";

test("a session that would wait as long as a service's waits longer, any other as long as it wants", async () => {
  const url = await freshDatabase("patience");
  await waitLongerForLocks(url);
  const waits = async (lockTimeout: number) => {
    const client = new pg.Client({ connectionString: url, options: `-c lock_timeout=${lockTimeout}` });
    onTestFinished(() => client.end());
    await client.connect();
    return (await client.query<{ lock_timeout: string }>("show lock_timeout")).rows[0]?.lock_timeout;
  };
  expect(await waits(500)).toBe("4s");
  expect(await waits(300)).toBe("300ms");
});
