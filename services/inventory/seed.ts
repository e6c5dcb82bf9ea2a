import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { adjustStock } from "./adjust-stock.ts";
import { StockRow } from "./storage.ts";

const seedFile = z.object({
  products: z.array(z.object({ id: z.uuid(), stock: z.number().int().positive() })),
});

/** Starts the stock of every product of the seed file that has none yet. */
export async function seedStock(orm: MikroORM, data: unknown): Promise<void> {
  const known = new Set(
    (await orm.em.fork().findAll(StockRow, { fields: ["productId"] })).map((row) => row.productId),
  );
  for (const { id, stock } of seedFile.parse(data).products) {
    if (!known.has(id)) await adjustStock(orm, { productId: id, delta: stock });
  }
}
