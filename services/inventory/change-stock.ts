import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { EntityManager } from "@mikro-orm/postgresql";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { recordEvent } from "#mesh/runtime/events/outbox.ts";
import type { Stock } from "./storage.ts";

/** Marks a locked stock row as changed and tells the others, in the caller's transaction. */
export function noteChange(tx: EntityManager, stock: Stock): void {
  stock.version += 1n;
  stock.updatedAt = new Date();
  recordEvent(tx, StockChangedSchema, {
    productId: stock.productId,
    available: stock.available,
    version: stock.version,
    changedAt: timestampFromDate(stock.updatedAt),
  });
}
