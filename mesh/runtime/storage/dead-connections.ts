/** Gives back pool places whose connection died in the middle of a transaction. */
import type { Pool, PoolClient } from "pg";

/** Milliseconds in which the owner of a dead connection may return it in the ordinary way. */
const grace = 1_000;

/**
 * For MikroORM's `driverOptions: { onPoolCreated: releaseDeadConnections }`.
 *
 * When the server ends a connection (restart, failover, pg_terminate_backend) while a transaction runs on it,
 * the rollback fails, and Kysely's controlled transaction then never releases the connection: each time the
 * pool has one place less, until every query waits for ever. This releases it in its stead.
 */
export function releaseDeadConnections(pool: Pool): void {
  const taken = new Set<PoolClient>();
  pool.on("acquire", (client) => taken.add(client));
  pool.on("release", (_error, client) => taken.delete(client));
  pool.on("connect", (client) => {
    client.once("end", () => {
      const release = () => {
        if (taken.has(client)) client.release(true);
      };
      setTimeout(release, grace).unref();
    });
  });
}
