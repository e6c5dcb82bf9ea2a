import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { storeChange } from "./change-stock.ts";
import { commit } from "./stock.ts";
import { lockReservation, lockStock, type Reservation, updateReservation } from "./storage.ts";

/**
 * Turns an order's reservation into a sale, which nobody need be told: as many can be ordered as before. A repeat
 * changes nothing.
 * @throws ServiceError RESERVATION_NOT_FOUND, RESERVATION_RELEASED
 */
export async function commitReservation(orm: MikroORM, orderId: string): Promise<Reservation> {
  return inTransaction(orm, async (tx) => {
    const reservation = await lockReservation(tx, orderId);
    if (!reservation)
      throw new ServiceError(Code.NotFound, "RESERVATION_NOT_FOUND", "the order has no reservation");
    if (reservation.status === "COMMITTED") return reservation;
    if (reservation.status === "RELEASED") {
      throw new ServiceError(
        Code.FailedPrecondition,
        "RESERVATION_RELEASED",
        "the order has given up its reservation",
      );
    }
    const stock = await lockStock(
      tx,
      reservation.items.map(({ productId }) => productId),
    );
    for (const { productId, quantity } of reservation.items) {
      const row = stock.get(productId);
      if (!row) throw new Error(`stock of ${productId} is gone although pieces of it are reserved`);
      commit(row, quantity);
      await storeChange(tx, row);
    }
    return updateReservation(tx, reservation, "COMMITTED");
  });
}
