import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { findNatsServer } from "#local/find-nats-server.ts";
import { freePort } from "#local/free-port.ts";
import { type Leash, startLeash } from "#local/leash.ts";
import { type Nats, natsPassword, natsStopSignal, startNats } from "#local/nats.ts";
import { type Postgres, postgresStopSignal, startPostgres } from "#local/postgres.ts";

/**
 * Vitest's global set-up: one PostgreSQL and one nats-server for the whole run, on
 * free ports, with data in a temporary folder. Tests take their own database and
 * bus from them through fresh.ts. The leash ends both if vitest is killed.
 */

declare module "vitest" {
  interface ProvidedContext {
    postgresAdminUrl: string;
    natsUrls: string[];
    /** Folder where test files claim a bus each. */
    busClaims: string;
  }
}

/** More buses than test files: an account without streams costs the server next to nothing. */
const buses = 200;

export default async function startDatabases(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "weft-test-"));
  chmodSync(folder, 0o711); // as root, PostgreSQL runs as another user, who passes through here
  const leash = startLeash(join(folder, "run"));
  try {
    const [postgres, nats] = await Promise.all([postgresFor(folder, leash), natsFor(folder, leash)]);
    const busClaims = join(folder, "claims");
    mkdirSync(busClaims);
    project.provide("postgresAdminUrl", postgres.adminUrl);
    project.provide("natsUrls", nats.urls);
    project.provide("busClaims", busClaims);
    return async () => {
      await Promise.all([postgres.stop(), nats.server.stop()]);
      leash.drop();
      rmSync(folder, { recursive: true, force: true });
    };
  } catch (error) {
    leash.drop();
    throw error;
  }
}

async function postgresFor(folder: string, leash: Leash): Promise<Postgres> {
  return startPostgres({
    dataDir: join(folder, "postgres"),
    port: await freePort(),
    log: () => {},
    onSpawn: (pid) => leash.hold("postgres", pid, postgresStopSignal),
    durable: false,
    maxConnections: 400,
  });
}

async function natsFor(folder: string, leash: Leash): Promise<{ server: Nats; urls: string[] }> {
  const looked: string[] = [];
  const say = (place: string, outcome: string) => looked.push(`${place}: ${outcome}`);
  const { binary } = await findNatsServer({
    cacheDir: join(import.meta.dirname, "../../.weft/bin"),
    say,
  }).catch((error: Error) => {
    throw new Error([error.message, ...looked].join("\n  "));
  });
  const accounts = Array.from({ length: buses }, (_, index) => {
    const user = { name: `bus${index}`, password: natsPassword(), publish: [">"], subscribe: [">"] };
    return { name: `BUS${index}`, users: [user] };
  });
  const server = await startNats({
    binary,
    dataDir: join(folder, "nats"),
    port: await freePort(),
    accounts,
    maxFileStore: 1024 ** 4, // each stream of each test reserves its size; none fills it
    log: () => {},
    onSpawn: (pid) => leash.hold("nats", pid, natsStopSignal),
  });
  return { server, urls: accounts.map(({ users }) => server.urlFor(users[0]!)) };
}
