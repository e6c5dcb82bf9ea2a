import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { storeAvailable } from "./change-stock.ts";
import { type Line, reserve, sameLines } from "./stock.ts";
import { insertReservation, lockReservation, lockStock, type Reservation } from "./storage.ts";

/**
 * Sets pieces aside for an order: all lines or none. A repeat answers what the first call did.
 * @throws ServiceError OUT_OF_STOCK; RESERVATION_RELEASED when the order gave up before this call came;
 * RESERVATION_DIFFERS when the first call asked for something else
 */
export async function reserveStock(
  orm: MikroORM,
  { orderId, items }: { orderId: string; items: Line[] },
): Promise<Reservation> {
  return inTransaction(orm, async (tx) => {
    const known = await lockReservation(tx, orderId);
    if (known?.status === "RELEASED") {
      throw new ServiceError(
        Code.FailedPrecondition,
        "RESERVATION_RELEASED",
        "the order has given up its reservation",
      );
    }
    if (known && !sameLines(known.items, items)) {
      throw new ServiceError(
        Code.AlreadyExists,
        "RESERVATION_DIFFERS",
        "the order has a reservation of other products or quantities",
      );
    }
    if (known) return known;

    const stock = await lockStock(
      tx,
      items.map(({ productId }) => productId),
    );
    for (const { productId, quantity } of items) reserve(stock.get(productId), productId, quantity);
    for (const row of stock.values()) await storeAvailable(tx, row);
    return insertReservation(tx, { orderId, items, status: "RESERVED" });
  });
}
