import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ensureDatabase } from "./databases.ts";
import { freePort } from "./free-port.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { isAlive } from "./process-identity.ts";
import { copyPrograms } from "./unprivileged.ts";

let folder: string;
let port: number;
const servers: Postgres[] = [];

// One folder for all: making the first files of a server is the slow part.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weft-postgres-"));
  chmodSync(folder, 0o711);
  port = await freePort();
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(dataDir = join(folder, "data")): Promise<Postgres> {
  const server = await startPostgres({ dataDir, port, log: () => {}, durable: false });
  servers.push(server);
  return server;
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test("keeps data, password and roles over a restart", async () => {
  const first = await start();
  const url = await ensureDatabase({ adminUrl: first.adminUrl, service: "shelf", password: "p@ss/w'rd" });
  await ask(url, "CREATE TABLE books AS SELECT 42 AS pages");
  await first.stop();

  const second = await start();
  expect(second.adminUrl).toBe(first.adminUrl);
  expect(await ensureDatabase({ adminUrl: second.adminUrl, service: "shelf", password: "p@ss/w'rd" })).toBe(
    url,
  );
  expect(await ask(url, "SELECT pages FROM books")).toBe(42);
  expect(statSync(join(folder, "data", "password")).mode & 0o777).toBe(0o600);
});

test("takes over from a server that a killed parent left on the same data", async () => {
  const orphan = await start();
  const next = await start();
  expect(isAlive(orphan.pid)).toBe(false);
  expect(await ask(next.adminUrl, "SELECT 1")).toBe(1);
});

test("recovers after kill -9 of the server", async () => {
  const first = await start();
  process.kill(first.pid, "SIGKILL");
  await first.exited;
  expect(await ask((await start()).adminUrl, "SELECT 1")).toBe(1);
});

test("a stale postmaster.pid whose number now belongs to another program harms neither", async () => {
  const first = await start();
  await first.stop();
  const stranger = spawn("sleep", ["60"]);
  writeFileSync(join(first.folder, "postmaster.pid"), `${stranger.pid}\n${first.folder}\n`);
  try {
    expect(await ask((await start()).adminUrl, "SELECT 1")).toBe(1);
    expect(isAlive(stranger.pid!)).toBe(true);
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("an initdb that was interrupted is done anew", async () => {
  const dataDir = join(folder, "interrupted");
  mkdirSync(join(dataDir, "cluster"), { recursive: true });
  writeFileSync(join(dataDir, "cluster", "PG_VERSION"), "18\n");
  expect(await ask((await start(dataDir)).adminUrl, "SELECT 1")).toBe(1);
});

test("a port in use is named", async () => {
  const first = await start();
  const other = startPostgres({
    dataDir: join(folder, "other"),
    port: first.port,
    log: () => {},
    durable: false,
  });
  await expect(other).rejects.toThrow(`port ${first.port}`);
});

test("a name that is not one never reaches the server", async () => {
  const wrong = ensureDatabase({
    adminUrl: "postgres://nowhere",
    service: 'x"; DROP ROLE postgres; --',
    password: "",
  });
  await expect(wrong).rejects.toThrow("not a service name");
});

describe.runIf(process.getuid?.() === 0)("started by root", () => {
  test("the server runs as nobody, and root's folder stays closed to it", async () => {
    const { pid } = await start();
    expect(statSync(`/proc/${pid}`).uid).toBe(65534);
    expect(statSync(join(folder, "data")).uid).toBe(0);
  });

  test("data below a folder that only root may enter lies where nobody can reach it, and is reset with the folder", async () => {
    const dataDir = join(folder, "private", "data");
    mkdirSync(dirname(dataDir), { mode: 0o700 });
    const first = await start(dataDir);
    const place = dirname(first.folder);
    expect(place.startsWith(folder)).toBe(false);
    await ask(first.adminUrl, "CREATE TABLE books ()");
    await first.stop();
    rmSync(dataDir, { recursive: true });

    const second = await start(dataDir);
    expect(second.folder).toBe(first.folder);
    expect(await ask(second.adminUrl, "SELECT to_regclass('books') IS NULL")).toBe(true);
    await second.stop();

    rmSync(join(folder, "private"), { recursive: true });
    const third = join(folder, "private2", "data");
    mkdirSync(dirname(third), { mode: 0o700 });
    const { folder: thirdFolder } = await start(third);
    expect(existsSync(place)).toBe(false); // cleared away by the next use
    rmSync(dirname(thirdFolder), { recursive: true, force: true });
  });

  test("a copy of programs that somebody else could write is not run", () => {
    const programs = join(folder, "programs");
    mkdirSync(programs);
    writeFileSync(join(programs, "postgres"), "");
    const name = `test-${process.pid}`;
    const copy = copyPrograms(programs, name);
    try {
      expect(readdirSync(copy)).toEqual(["postgres"]);
      chownSync(copy, 65534, 65534);
      expect(() => copyPrograms(programs, name)).toThrow("only root can write");
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});
