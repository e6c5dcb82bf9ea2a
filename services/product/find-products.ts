import type { MikroORM } from "@mikro-orm/postgresql";
import { type Product, ProductRow } from "./storage.ts";

/** Products of the catalogue with these ids; unknown ones are left out. */
export async function findProducts(orm: MikroORM, ids: readonly string[]): Promise<Product[]> {
  if (ids.length === 0) return [];
  const em = orm.em.fork();
  const distinct = [...new Set(ids)];
  const rows = await em.execute(
    `select * from products where id in (${distinct.map(() => "?").join(", ")}) and deleted_at is null`,
    distinct,
  );
  return rows.map((row) => em.map(ProductRow, row));
}

/** Pieces in stock by product id, as inventory last told. */
export async function availabilityOf(
  orm: MikroORM,
  products: readonly Product[],
): Promise<Map<string, number>> {
  if (products.length === 0) return new Map();
  const rows = await orm.em.fork().execute<{ product_id: string; available: number }[]>(
    `select product_id, available from availability where product_id in (${products.map(() => "?").join(", ")})`,
    products.map(({ id }) => id),
  );
  return new Map(rows.map(({ product_id, available }) => [product_id, available]));
}
