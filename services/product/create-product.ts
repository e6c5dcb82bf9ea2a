import type { MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { checkTexts, type Price, searchColumns, type Texts } from "./product.ts";
import { type Product, ProductRow } from "./storage.ts";

/**
 * Adds a product to the catalogue.
 * @throws ServiceError REQUEST_INVALID for texts with control characters
 */
export async function createProduct(
  orm: MikroORM,
  { name, description, category, price }: Texts & { category: string; price: Price },
): Promise<Product> {
  checkTexts({ name, description });
  return inTransaction(orm, async (tx) => {
    const now = new Date();
    return tx.create(ProductRow, {
      id: uuidv7(),
      name,
      description,
      category,
      currencyCode: price.currencyCode,
      units: price.units,
      nanos: price.nanos,
      ...searchColumns({ name, description }),
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
    });
  });
}
