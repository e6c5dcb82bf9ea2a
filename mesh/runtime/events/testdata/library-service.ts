/** A service for tests: a database with the event tables, shelves, and a log that tests can read. */
import { inspect } from "node:util";
import { defineEntity, p } from "@mikro-orm/core";
import { MikroORM } from "@mikro-orm/postgresql";
import { onTestFailed, onTestFinished } from "vitest";
import { preparePool } from "#mesh/runtime/storage/database.ts";
import { freshDatabase } from "../../../../test/system/fresh.ts";
import { type Bus, connectBus, type EventLog } from "../bus.ts";
import { eventEntities } from "../inbox.ts";
import { createEventTables } from "../migration.ts";

export const ShelfRow = defineEntity({
  name: "ShelfRow",
  tableName: "shelves",
  properties: { id: p.text().primary(), lent: p.integer(), version: p.integer().version() },
});

/** Log lines as [level, fields, text]. */
export type Lines = [level: string, fields: Record<string, unknown>, text: string][];

/** A log for tests to read; a failing test prints it. */
export function recordingLog(): { log: EventLog; lines: Lines } {
  const lines: Lines = [];
  onTestFailed(() => console.error(inspect(lines.slice(0, 20), { depth: 6 })));
  const at = (level: string) => (fields: unknown, text?: string) => {
    lines.push([level, fields as Record<string, unknown>, text ?? ""]);
  };
  return {
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } as EventLog,
    lines,
  };
}

/** A database of its own, with another connection pool for each call of `open`. */
export async function libraryDatabase(): Promise<{
  url: string;
  orm: MikroORM;
  /** @param connections size of the pool */
  open: (connections?: number) => Promise<MikroORM>;
}> {
  const url = await freshDatabase("library");
  const open = async (connections = 12) => {
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [...eventEntities, ShelfRow],
      pool: { min: 0, max: connections },
      driverOptions: {
        onPoolCreated: preparePool,
        options: "-c lock_timeout=20000 -c statement_timeout=60000",
      },
    });
    onTestFinished(() => orm.close(true));
    return orm;
  };
  const orm = await open();
  for (const sql of createEventTables) await orm.em.execute(sql);
  await orm.em.execute(
    "create table shelves (id text primary key, lent integer not null default 0, version integer not null default 1)",
  );
  return { url, orm, open };
}

/** A connection that closes after the test. */
export async function libraryBus(
  url: string,
  service: string,
  log: EventLog = recordingLog().log,
): Promise<Bus> {
  const bus = await connectBus({ url, service, log });
  onTestFinished(() => bus.close());
  return bus;
}
