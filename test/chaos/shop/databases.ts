import pg from "pg";
import { ensurePasswords } from "#local/passwords.ts";

/** The databases of a running system, read from outside with each service's own role. */
export class Databases {
  readonly #dataDir: string;
  readonly #port: number;
  readonly #pools = new Map<string, pg.Pool>();

  /** @param port - of the server itself, not of a proxy before it */
  constructor(dataDir: string, port: number) {
    this.#dataDir = dataDir;
    this.#port = port;
  }

  async rows<T extends pg.QueryResultRow>(service: string, sql: string): Promise<T[]> {
    return (await this.#pool(service).query<T>(sql)).rows;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
    this.#pools.clear();
  }

  #pool(service: string): pg.Pool {
    const known = this.#pools.get(service);
    if (known) return known;
    const name = `database/${service}`;
    const pool = new pg.Pool({
      host: "127.0.0.1",
      port: this.#port,
      user: `weft_${service}`,
      database: `weft_${service}`,
      password: ensurePasswords(this.#dataDir, [name])(name),
      max: 2,
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
    });
    pool.on("error", () => {}); // the server was killed; the next query makes a new connection
    this.#pools.set(service, pool);
    return pool;
  }
}
