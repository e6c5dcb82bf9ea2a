import type { MikroORM } from "@mikro-orm/postgresql";
import { AvailabilityRow, type Product, ProductRow } from "./storage.ts";

/** Products of the catalogue with these ids; unknown ones are left out. */
export function findProducts(orm: MikroORM, ids: readonly string[]): Promise<Product[]> {
  return orm.em.fork().find(ProductRow, { id: { $in: [...new Set(ids)] }, deletedAt: null });
}

/** Pieces in stock by product id, as inventory last told. */
export async function availabilityOf(
  orm: MikroORM,
  products: readonly Product[],
): Promise<Map<string, number>> {
  if (products.length === 0) return new Map();
  const rows = await orm.em
    .fork()
    .find(AvailabilityRow, { productId: { $in: products.map(({ id }) => id) } });
  return new Map(rows.map(({ productId, available }) => [productId, available]));
}
