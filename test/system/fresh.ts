import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { ensureDatabase } from "#local/databases.ts";

/**
 * A new, empty database with a role of its own, for one test or one test file.
 * It goes when the test run ends.
 *
 * @param service name that appears in the database's name, as an aid to debugging
 * @returns its URL, for a service's DATABASE_URL
 */
export async function freshDatabase(service: string): Promise<string> {
  const suffix = randomBytes(5).toString("hex");
  return ensureDatabase({
    adminUrl: inject("postgresAdminUrl"),
    service: `${service}_${suffix}`,
    password: randomBytes(12).toString("hex"),
  });
}

/**
 * A bus nobody else uses: an account of its own with every right, JetStream
 * included, on the test run's nats-server. Streams of other tests are not seen.
 *
 * @returns a URL with user and password, for a service's NATS_URL. (The NATS client
 *   does not read credentials from a URL: pass them as `user` and `pass`.)
 */
export async function freshBus(): Promise<string> {
  const urls = inject("natsUrls");
  const claims = inject("busClaims");
  for (const [index, url] of urls.entries()) {
    if (claim(join(claims, String(index)))) return url;
  }
  throw new Error(
    `all ${urls.length} buses of this test run are taken: raise the number in test/system/databases.ts`,
  );
}

/** Making a folder is atomic between the processes of a test run. */
function claim(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
