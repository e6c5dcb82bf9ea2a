/**
 * Figures of a connection pool by the semantic conventions for databases
 * (opentelemetry.io/docs/specs/semconv/db/database-metrics):
 *
 *   db.client.connection.count              by db.client.connection.state: used, idle
 *   db.client.connection.max                places of the pool
 *   db.client.connection.pending_requests   who waits for a connection: alert when it stays above 0
 */
import type { Meter } from "@opentelemetry/api";
import type { Pool } from "pg";

/** @param name of the pool */
export function observePool(meter: Meter, pool: Pool, name: string): void {
  const attributes = { "db.client.connection.pool.name": name };
  const state = "db.client.connection.state";
  meter
    .createObservableGauge("db.client.connection.count", { description: "Connections by state" })
    .addCallback((result) => {
      result.observe(pool.idleCount, { ...attributes, [state]: "idle" });
      result.observe(pool.totalCount - pool.idleCount, { ...attributes, [state]: "used" });
    });
  meter
    .createObservableGauge("db.client.connection.max", { description: "Most connections of the pool" })
    .addCallback((result) => result.observe(pool.options.max, attributes));
  meter
    .createObservableGauge("db.client.connection.pending_requests", {
      description: "Who waits for a connection",
    })
    .addCallback((result) => result.observe(pool.waitingCount, attributes));
}
