import { LockMode } from "@mikro-orm/core";
import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { checkTexts, type Price, productNotFound, searchColumns } from "./product.ts";
import { type Product, ProductRow } from "./storage.ts";

/** What to change; undefined leaves a field as it is. */
export interface Changes {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly category: string | undefined;
  readonly price: Price | undefined;
}

/**
 * Changes a product.
 * @throws ServiceError PRODUCT_NOT_FOUND; REQUEST_INVALID for texts with control characters
 */
export async function updateProduct(orm: MikroORM, id: string, changes: Changes): Promise<Product> {
  checkTexts(changes);
  return inTransaction(orm, async (tx) => {
    const lockMode = LockMode.PESSIMISTIC_WRITE;
    const product = await tx.findOne(ProductRow, { id, deletedAt: null }, { lockMode });
    if (!product) throw productNotFound();
    const { name = product.name, description = product.description, category = product.category } = changes;
    const { currencyCode, units, nanos } = changes.price ?? product;
    const wanted = { name, description, category, currencyCode, units, nanos };
    if (changesAnything(product, wanted)) {
      tx.assign(product, { ...wanted, ...searchColumns(wanted), updatedAt: new Date() });
    }
    return product;
  });
}

function changesAnything(product: Product, wanted: Partial<Product>): boolean {
  return Object.entries(wanted).some(([field, value]) => product[field as keyof Product] !== value);
}
