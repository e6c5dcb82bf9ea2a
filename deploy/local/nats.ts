import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Exit, endChild } from "./child.ts";
import { startAnnouncing } from "./ready-line.ts";

/** A user of the bus and what it may do: only the subjects listed, everything else is refused. */
export type NatsUser = {
  name: string;
  password: string;
  publish: string[];
  subscribe: string[];
};

/** Users that see each other's streams. Accounts are walls: nothing passes between two of them. */
export type NatsAccount = { name: string; users: NatsUser[] };

export type NatsOptions = {
  /** Path of a nats-server, 2.9.10 or newer. */
  binary: string;
  /** Folder for streams and the generated configuration; created if missing. */
  dataDir: string;
  /** TCP port on 127.0.0.1. */
  port: number;
  /** HTTP port on 127.0.0.1 for the server's own statistics (/varz, /jsz); none if left out. */
  monitorPort?: number;
  accounts: NatsAccount[];
  /** Most bytes that all streams together may reserve on disk; 8 GiB if left out. */
  maxFileStore?: number;
  /** Called with each line the server writes. */
  log: (line: string) => void;
  /** Called as soon as the process exists, before it is ready. */
  onSpawn?: (pid: number) => void;
};

export type Nats = {
  port: number;
  pid: number;
  exited: Promise<Exit>;
  /** URL with the user's name and password. A secret. */
  urlFor(user: NatsUser): string;
  /** Ends the server; streams are written to disk. */
  stop(): Promise<void>;
};

/** SIGINT ends at once and in order; SIGTERM of 2.9 does the same. */
export const natsStopSignal = "SIGINT" satisfies NodeJS.Signals;

/**
 * Starts nats-server with JetStream on loopback.
 *
 * @throws Error naming the port or the reason, with the server's last lines.
 */
export async function startNats(options: NatsOptions): Promise<Nats> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const file = join(options.dataDir, "nats-server.conf");
  writeFileSync(file, natsConfiguration(options), { mode: 0o600 });

  const child = await startAnnouncing(options.binary, ["-c", file], {
    name: "nats-server",
    readyText: "Server is ready",
    within: 30_000,
    env: { PATH: process.env.PATH },
    log: options.log,
    onSpawn: options.onSpawn,
  }).catch((error: Error) => {
    if (!error.message.includes("address already in use")) throw error;
    throw new Error(`nats-server cannot have port ${options.port}: another program uses it.`);
  });
  return {
    port: options.port,
    pid: child.pid,
    exited: child.exited,
    urlFor: ({ name, password }) =>
      `nats://${encodeURIComponent(name)}:${encodeURIComponent(password)}@127.0.0.1:${options.port}`,
    stop: async () => {
      await endChild(child, [[natsStopSignal, 5_000]]);
    },
  };
}

/** A password for a user of the bus. */
export function natsPassword(): string {
  return randomBytes(24).toString("base64url");
}

/** An empty list of what is allowed would allow everything. */
function only(subjects: string[]) {
  return subjects.length === 0 ? { deny: [">"] } : { allow: subjects };
}

/**
 * The server's configuration. Its language contains JSON, and in quoted strings
 * `$JS` is text, not a variable.
 *
 * Users live in accounts only: a configuration with a bare `authorization` block
 * beside accounts lets strangers in on old servers (CVE-2023-47090).
 */
export function natsConfiguration({
  dataDir,
  port,
  monitorPort,
  accounts,
  maxFileStore = 8 * 1024 ** 3,
}: NatsOptions): string {
  const listed = accounts.map(({ name, users }) => [
    name,
    {
      jetstream: "enabled",
      users: users.map(({ name: user, password, publish, subscribe }) => ({
        user,
        password,
        permissions: { publish: only(publish), subscribe: only(subscribe) },
      })),
    },
  ]);
  const configuration = {
    server_name: "weft",
    listen: `127.0.0.1:${port}`,
    ...(monitorPort === undefined ? {} : { http: `127.0.0.1:${monitorPort}` }),
    max_payload: 1024 * 1024,
    jetstream: { store_dir: dataDir, max_memory_store: 64 * 1024 ** 2, max_file_store: maxFileStore },
    accounts: Object.fromEntries(listed),
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}
