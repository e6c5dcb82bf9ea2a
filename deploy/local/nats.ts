import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeExit, type Exit, endChild, startChild } from "./child.ts";

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

const readyWithin = 30_000;

/**
 * Starts nats-server with JetStream on loopback.
 *
 * @throws Error naming the port or the reason, with the server's last lines.
 */
export async function startNats(options: NatsOptions): Promise<Nats> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const file = join(options.dataDir, "nats-server.conf");
  writeFileSync(file, natsConfiguration(options), { mode: 0o600 });

  const lastLines: string[] = [];
  const ready = Promise.withResolvers<"ready">();
  const child = await startChild(options.binary, ["-c", file], {
    env: { PATH: process.env.PATH },
    log: (line) => {
      options.log(line);
      lastLines.push(line);
      if (lastLines.length > 8) lastLines.shift();
      if (line.includes("Server is ready")) ready.resolve("ready");
    },
  });
  options.onSpawn?.(child.pid);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), readyWithin);
  });
  const outcome = await Promise.race([ready.promise, child.exited, late]).finally(() => clearTimeout(timer));
  if (outcome === "late") await endChild(child, [[natsStopSignal, 2_000]]);
  if (outcome !== "ready") throw new Error(explain(outcome, lastLines, options.port));
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

/**
 * The server's configuration. Its language contains JSON, and in quoted strings
 * `$JS` is text, not a variable.
 *
 * Users live in accounts only: a configuration with a bare `authorization` block
 * beside accounts lets strangers in on old servers (CVE-2023-47090).
 */
export function natsConfiguration({ dataDir, port, monitorPort, accounts }: NatsOptions): string {
  const listed = accounts.map(({ name, users }) => [
    name,
    {
      jetstream: "enabled",
      users: users.map(({ name: user, password, publish, subscribe }) => ({
        user,
        password,
        permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
      })),
    },
  ]);
  const configuration = {
    server_name: "weft",
    listen: `127.0.0.1:${port}`,
    ...(monitorPort === undefined ? {} : { http: `127.0.0.1:${monitorPort}` }),
    max_payload: 1024 * 1024,
    jetstream: { store_dir: dataDir, max_memory_store: 64 * 1024 ** 2, max_file_store: 8 * 1024 ** 3 },
    accounts: Object.fromEntries(listed),
  };
  return `${JSON.stringify(configuration, null, 2)}\n`;
}

function explain(outcome: Exit | "late", lastLines: string[], port: number): string {
  if (lastLines.some((line) => line.includes("address already in use"))) {
    return `nats-server cannot have port ${port}: another program uses it.`;
  }
  const what =
    outcome === "late"
      ? `was not ready after ${readyWithin / 1000} s`
      : `ended with ${describeExit(outcome)}`;
  return `nats-server ${what}. Its last lines:\n${lastLines.join("\n")}`;
}
