/** What orders cost: CPU by process, statements and commits by database. Linux only. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { system } from "#local/system.ts";
import { processNames } from "#local/topology.ts";
import type { RunningShop } from "../../system/shop.ts";
import { processTree } from "../figures/process-tree.ts";

/** Numbers that only grow, by name. */
type Counts = ReadonlyMap<string, number>;

/** What a piece of work has cost. */
export interface Cost {
  /** Milliseconds of CPU by process, "client" for the one that measures. */
  readonly cpu: Counts;
  /** By database. */
  readonly statements: Counts;
  readonly commits: Counts;
  /** Of PostgreSQL's log. */
  readonly syncs: number;
}

interface Reading extends Cost {}

/** Measures against a running shop. PostgreSQL is started anew once, to have it count statements. */
export class CostMeter {
  readonly #shop: RunningShop;
  readonly #client: pg.Client;

  private constructor(shop: RunningShop, client: pg.Client) {
    this.#shop = shop;
    this.#client = client;
  }

  static async attach(shop: RunningShop): Promise<CostMeter> {
    const before = await connect(shop);
    await before.query("alter system set shared_preload_libraries = 'pg_stat_statements'");
    await before.end();
    await shop.kill("postgres");
    await shop.running("postgres");
    const client = await connect(shop);
    await client.query("create extension if not exists pg_stat_statements");
    return new CostMeter(shop, client);
  }

  async of(work: () => Promise<unknown>): Promise<Cost> {
    const before = await this.#read();
    await work();
    const after = await this.#read();
    return {
      cpu: difference(after.cpu, before.cpu),
      statements: difference(after.statements, before.statements),
      commits: difference(after.commits, before.commits),
      syncs: after.syncs - before.syncs,
    };
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #read(): Promise<Reading> {
    const counts = async (sql: string): Promise<Counts> => {
      const { rows } = await this.#client.query<{ name: string; count: number }>(sql);
      return new Map(rows.map(({ name, count }) => [name, count]));
    };
    const cpu = this.#cpu();
    const statements = await counts(
      `select datname as name, sum(calls)::float8 as count
       from pg_stat_statements join pg_database on oid = dbid group by datname`,
    );
    const commits = await counts(
      "select datname as name, xact_commit::float8 as count from pg_stat_database where datname is not null",
    );
    const syncs = await counts(
      "select object as name, sum(fsyncs)::float8 as count from pg_stat_io where object = 'wal' group by object",
    );
    return { cpu, statements, commits, syncs: syncs.get("wal") ?? 0 };
  }

  #cpu(): Counts {
    const names = new Map(
      [...processNames(system), "postgres", "nats"].map((name) => [this.#shop.pid(name), name] as const),
    );
    const used = new Map<string, number>();
    for (const { pid, command, cpu } of processTree(process.pid)) {
      const name =
        names.get(pid) ??
        (pid === process.pid ? "client" : command.startsWith("postgres:") ? "postgres" : "runner");
      used.set(name, (used.get(name) ?? 0) + cpu * 1_000);
    }
    return used;
  }
}

/** Lines that say what one order of so many has cost. */
export function describeCost({ cpu, statements, commits, syncs }: Cost, orders: number): string[] {
  const each = (count: number) => (count / orders).toFixed(1);
  const sum = (counts: Counts) => each([...counts.values()].reduce((total, count) => total + count, 0));
  const list = (counts: Counts) =>
    [...counts]
      .filter(([, count]) => count / orders >= 0.05)
      .sort(([, left], [, right]) => right - left)
      .map(([name, count]) => `${name.replace(/^weft_(bare_)?/, "")} ${each(count)}`)
      .join(", ");
  return [
    `  ms of CPU   ${sum(cpu)}: ${list(cpu)}`,
    `  statements  ${sum(statements)}: ${list(statements)}`,
    `  commits     ${sum(commits)}: ${list(commits)}; the log was synced ${each(syncs)} times`,
  ];
}

function difference(after: Counts, before: Counts): Counts {
  return new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)]));
}

async function connect({ dataDir, servicePort }: RunningShop): Promise<pg.Client> {
  const password = readFileSync(join(dataDir, "postgres", "password"), "utf8");
  const client = new pg.Client({
    host: "127.0.0.1",
    port: servicePort("postgres"),
    user: "postgres",
    password,
    database: "postgres",
  });
  await client.connect();
  return client;
}
