import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { productNotFound } from "./product.ts";
import { ProductRow } from "./storage.ts";

/**
 * Takes a product out of the catalogue. The row stays: its id is never used again, and a repeat changes nothing.
 * @throws ServiceError PRODUCT_NOT_FOUND for an id that was never in the catalogue
 */
export async function deleteProduct(orm: MikroORM, id: string): Promise<void> {
  await inTransaction(orm, async (tx) => {
    const taken = await tx.nativeUpdate(ProductRow, { id, deletedAt: null }, { deletedAt: new Date() });
    if (taken === 0 && (await tx.count(ProductRow, { id })) === 0) throw productNotFound();
  });
}
