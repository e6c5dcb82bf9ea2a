import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { EntityManager } from "@mikro-orm/postgresql";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { recordEvent } from "#mesh/runtime/events/outbox.ts";
import { type Stock, updateStock } from "./storage.ts";

/** Stores a changed stock row, which is locked, in the caller's transaction. */
export async function storeChange(tx: EntityManager, stock: Stock): Promise<void> {
  stock.version += 1n;
  stock.updatedAt = new Date();
  await updateStock(tx, stock);
}

/** Stores a stock row of which more or fewer pieces can be ordered than before, and tells the others. */
export async function storeAvailable(tx: EntityManager, stock: Stock): Promise<void> {
  await storeChange(tx, stock);
  recordEvent(tx, StockChangedSchema, {
    productId: stock.productId,
    available: stock.available,
    version: stock.version,
    changedAt: timestampFromDate(stock.updatedAt),
  });
}
