import type { EntityManager } from "@mikro-orm/postgresql";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";
import type { Availability } from "./storage.ts";

/**
 * Copies a product's stock, unless a later version is on record: events of one product may come in any
 * order and more than once. The product need not exist yet.
 */
export async function followStock(tx: EntityManager, stock: Availability): Promise<void> {
  await runLater(
    tx,
    `insert into availability as known (product_id, available, version, changed_at) values (?, ?, ?, ?)
     on conflict (product_id) do update set
       available = excluded.available, version = excluded.version, changed_at = excluded.changed_at
     where known.version < excluded.version`,
    [stock.productId, stock.available, String(stock.version), stock.changedAt],
  );
}
