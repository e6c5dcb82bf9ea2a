import type { EntityManager } from "@mikro-orm/postgresql";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";

/** Notes when an order was placed, for the mail that tells what became of it. Sends nothing. */
export async function rememberOrder(
  tx: EntityManager,
  order: { orderId: string; placedAt: Date },
): Promise<void> {
  await runLater(
    tx,
    "insert into placed_orders (order_id, placed_at) values (?, ?) on conflict (order_id) do nothing",
    [order.orderId, order.placedAt],
  );
}
