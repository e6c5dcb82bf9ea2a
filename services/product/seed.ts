import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { priceOfCents, searchColumns } from "./product.ts";
import { ProductRow } from "./storage.ts";

const seedFile = z.object({
  products: z.array(
    z.object({
      id: z.uuid(),
      name: z.string().min(1),
      description: z.string(),
      category: z.string().regex(/^[a-z0-9-]+$/),
      priceCents: z.number().int().nonnegative(),
    }),
  ),
});

/** Adds every product of the seed file whose id was never in the catalogue. */
export async function seedProducts(orm: MikroORM, data: unknown): Promise<void> {
  const { products } = seedFile.parse(data);
  const now = new Date();
  const rows = products.map(({ priceCents, ...product }) => ({
    ...product,
    ...priceOfCents(priceCents),
    ...searchColumns(product),
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }));
  await inTransaction(orm, async (tx) => {
    await tx.upsertMany(ProductRow, rows, { onConflictFields: ["id"], onConflictAction: "ignore" });
  });
}
