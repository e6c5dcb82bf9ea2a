import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { storeAvailable } from "./change-stock.ts";
import { release } from "./stock.ts";
import {
  insertReservation,
  lockReservation,
  lockStock,
  type Reservation,
  updateReservation,
} from "./storage.ts";

/**
 * Puts an order's pieces back, reserved or sold. A repeat changes nothing. An order without a
 * reservation gets a released one, so that a Reserve still on its way is refused when it arrives.
 */
export async function releaseReservation(orm: MikroORM, orderId: string): Promise<Reservation> {
  return inTransaction(orm, async (tx) => {
    const reservation = await lockReservation(tx, orderId);
    if (!reservation) return insertReservation(tx, { orderId, items: [], status: "RELEASED" });
    if (reservation.status === "RELEASED") return reservation;

    const from = reservation.status === "COMMITTED" ? "sold" : "reserved";
    const stock = await lockStock(
      tx,
      reservation.items.map(({ productId }) => productId),
    );
    for (const { productId, quantity } of reservation.items) {
      const row = stock.get(productId);
      if (!row) throw new Error(`stock of ${productId} is gone although pieces of it are ${from}`);
      release(row, quantity, from);
      await storeAvailable(tx, row);
    }
    return updateReservation(tx, reservation, "RELEASED");
  });
}
