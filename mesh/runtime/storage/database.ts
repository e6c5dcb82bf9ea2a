/** Database of a service: MikroORM on PostgreSQL with the settings that every service shares. */
import type { EntitySchema } from "@mikro-orm/core";
import { Migrator } from "@mikro-orm/migrations";
import { MikroORM } from "@mikro-orm/postgresql";
import type { Meter } from "@opentelemetry/api";
import pg from "pg";
import type { Logger } from "../telemetry/log.ts";
import { releaseDeadConnections } from "./dead-connections.ts";
import { sendStatementsTogether } from "./later-statements.ts";
import { observePool } from "./observe-pool.ts";
import { endSilentConnections } from "./silent-connections.ts";
import { traceStatements } from "./trace-statements.ts";

/** Class of a MikroORM migration. */
export type MigrationClass = new (...args: never[]) => object;

/** What a service keeps in its database. */
export interface Storage {
  /** biome-ignore lint/suspicious/noExplicitAny: entities of any shape */
  readonly entities: EntitySchema<any, any>[];
  /** In order; names are the class names and never change. */
  readonly migrations: MigrationClass[];
}

/** Longest wait for a row lock and longest statement, in milliseconds. */
const lockTimeoutMs = 500;
export const statementTimeoutMs = 5_000;
const poolSize = 8;

/** Longest wait for a connection, new or from the pool, in milliseconds. */
const connectTimeoutMs = 5_000;

/**
 * Opens the database and brings its schema up to date.
 * @param meter for the figures of the pool
 */
export async function openDatabase(
  url: string,
  storage: Storage,
  log: Logger,
  meter?: Meter,
): Promise<MikroORM> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: storage.entities,
    extensions: [Migrator],
    pool: { min: 0, max: poolSize },
    driverOptions: {
      onPoolCreated: (pool: pg.Pool) => {
        preparePool(pool);
        if (meter) observePool(meter, pool, new URL(url).pathname.slice(1));
      },
      connectionTimeoutMillis: connectTimeoutMs,
      options: `-c lock_timeout=${lockTimeoutMs} -c statement_timeout=${statementTimeoutMs} -c idle_in_transaction_session_timeout=30000`,
    },
    migrations: {
      migrationsList: storage.migrations.map((migration) => ({
        name: migration.name,
        class: migration as never,
      })),
      snapshot: false,
      silent: true,
    },
    logger: (message) => log.debug(message),
  });
  await migrate(orm, url, log);
  return orm;
}

/** What every pool of connections is given. */
export function preparePool(pool: pg.Pool): void {
  releaseDeadConnections(pool);
  sendStatementsTogether(pool);
  endSilentConnections(pool);
  traceStatements(pool);
}

/** One process migrates at a time, however many replicas start together. */
async function migrate(orm: MikroORM, url: string, log: Logger): Promise<void> {
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs });
  await lock.connect();
  try {
    await lock.query("select pg_advisory_lock(hashtext('weft_migrations'))");
    const applied = await orm.migrator.up();
    if (applied.length > 0) log.info({ migrations: applied.map(({ name }) => name) }, "schema migrated");
  } finally {
    await lock.end();
  }
}
