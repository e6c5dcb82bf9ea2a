import { type Child, type Exit, endChild } from "./child.ts";
import { type Cluster, openCluster } from "./postgres-cluster.ts";
import { NotReady, startAnnouncing } from "./ready-line.ts";

export type PostgresOptions = {
  /** Folder for the data and the superuser's password; created if missing. */
  dataDir: string;
  /** TCP port on 127.0.0.1. */
  port: number;
  /** Called with each line the server writes. */
  log: (line: string) => void;
  /** Called as soon as the process exists, before it is ready. */
  onSpawn?: (pid: number) => void;
  /** false gives up surviving a power cut for speed: for tests. Default true. */
  durable?: boolean;
  /** Connections at once, all databases together. Default 150. */
  maxConnections?: number;
};

export type Postgres = {
  /** Superuser's URL of the "postgres" database. A secret. */
  adminUrl: string;
  port: number;
  /** Where the data is: inside dataDir, or elsewhere if the account that runs the server cannot get there. */
  folder: string;
  pid: number;
  exited: Promise<Exit>;
  /** Ends the server: connections are cut, data is written. */
  stop(): Promise<void>;
};

/** SIGINT is PostgreSQL's "fast" shutdown, SIGQUIT its "immediate" one. */
export const postgresStopSignal = "SIGINT" satisfies NodeJS.Signals;

/** Recovery after a kill -9 replays the log: usually well below a second, but it may have been a big load. */
const readyWithin = 60_000;

/**
 * Starts the packaged PostgreSQL on loopback, creating its data on first use,
 * and ends a server that a killed runner left on the same data.
 *
 * @throws Error naming the port or the reason, with the server's last lines.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir, port, durable = true } = options;
  const cluster = await openCluster(dataDir, durable);
  const child = await startUntilReady(cluster, options);
  return {
    adminUrl: `postgres://postgres:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/postgres`,
    port,
    folder: cluster.folder,
    pid: child.pid,
    exited: child.exited,
    stop: async () => {
      await endChild(child, [
        [postgresStopSignal, 8_000],
        ["SIGQUIT", 2_000],
      ]);
    },
  };
}

/** Small in memory, strict with data. Workers that this system has no use for are off. */
function settings({ port, durable = true, maxConnections = 150 }: PostgresOptions): string[] {
  const sync = durable ? "on" : "off";
  const values = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: maxConnections,
    shared_buffers: "32MB",
    huge_pages: "off",
    fsync: sync,
    synchronous_commit: sync,
    full_page_writes: sync,
    wal_level: "minimal",
    max_wal_senders: 0,
    max_wal_size: "256MB",
    max_logical_replication_workers: 0,
    max_parallel_workers_per_gather: 0,
    io_method: "sync",
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    log_checkpoints: "off",
    password_encryption: "scram-sha-256",
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function startUntilReady(cluster: Cluster, options: PostgresOptions): Promise<Child> {
  const deadline = Date.now() + readyWithin;
  for (;;) {
    try {
      return await startAnnouncing(cluster.postgres, ["-D", cluster.folder, ...settings(options)], {
        ...cluster.account,
        name: "PostgreSQL",
        readyText: "database system is ready to accept connections",
        within: Math.max(1_000, deadline - Date.now()),
        cwd: "/",
        env: { PATH: process.env.PATH, LC_ALL: "C" },
        log: options.log,
        onSpawn: options.onSpawn,
      });
    } catch (error) {
      if (!(error instanceof NotReady)) throw error;
      const said = (text: string) => error.lastLines.some((line) => line.includes(text));
      if (said("Address already in use")) {
        throw new Error(`PostgreSQL cannot have port ${options.port}: another program uses it.`);
      }
      // Backends of a killed server hold its shared memory until they notice: a moment.
      if (!said("pre-existing shared memory block") || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
