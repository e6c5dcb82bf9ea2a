import type { EntityManager } from "@mikro-orm/postgresql";
import { PlacedOrderRow } from "./storage.ts";

/** Notes when an order was placed, for the mail that tells what became of it. Sends nothing. */
export async function rememberOrder(
  tx: EntityManager,
  order: { orderId: string; placedAt: Date },
): Promise<void> {
  await tx.upsert(PlacedOrderRow, order, { onConflictAction: "ignore" });
}
