import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { storeAvailable } from "./change-stock.ts";
import { adjust } from "./stock.ts";
import { insertStock, lockStock, type Stock } from "./storage.ts";

/**
 * Adds pieces to a product's stock or takes some away; the first adjustment starts the stock.
 * @throws ServiceError OUT_OF_STOCK when fewer are available than are taken away
 */
export async function adjustStock(
  orm: MikroORM,
  { productId, delta }: { productId: string; delta: number },
): Promise<Stock> {
  return inTransaction(orm, async (tx) => {
    const stock = (await lockStock(tx, [productId])).get(productId) ?? (await insertStock(tx, productId));
    adjust(stock, delta);
    await storeAvailable(tx, stock);
    return stock;
  });
}
