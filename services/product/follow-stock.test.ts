/** Availability, told by inventory's events over a real bus. */
import { Code } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Catalogue, startCatalogue } from "./testdata/catalogue.ts";

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await startCatalogue();
});
afterAll(() => catalogue?.stop());

/** Waits until so many events of a product were handled, whatever their effect. */
async function handled(productId: string, events: number) {
  await vi.waitFor(
    async () => {
      const sql = "select 1 from inbox where event_id = any($1)";
      const ids = await eventIdsOf(productId);
      expect((await catalogue.database.query(sql, [ids])).rowCount).toBe(events);
    },
    { timeout: 60_000, interval: 20 },
  );
}

async function eventIdsOf(key: string): Promise<string[]> {
  const outbox = new pg.Client({ connectionString: catalogue.served.database("inventory") });
  await outbox.connect();
  try {
    const { rows } = await outbox.query<{ id: string }>("select id from outbox where key = $1", [key]);
    return rows.map(({ id }) => id);
  } finally {
    await outbox.end();
  }
}

test("availability follows inventory's events, and an older version is ignored", async () => {
  const { id: productId, available } = await catalogue.created();
  expect(available).toBe(0);
  await catalogue.inventory.record(StockChangedSchema, { productId, available: 7, version: 5n });
  await handled(productId, 1);
  await catalogue.inventory.record(
    StockChangedSchema,
    { productId, available: 9, version: 4n },
    { productId, available: 8, version: 5n },
  );
  await handled(productId, 3);
  expect((await catalogue.asAnyone().getProduct({ productId })).available).toBe(7);
  await catalogue.inventory.record(StockChangedSchema, { productId, available: 3, version: 6n });
  await handled(productId, 4);
  expect((await catalogue.asAnyone().getProduct({ productId })).available).toBe(3);
});

test("stock that is told before the product exists is there when it does", async () => {
  const { id: productId } = await catalogue.created();
  await catalogue.database.query("delete from products where id = $1", [productId]);
  await catalogue.inventory.record(StockChangedSchema, { productId, available: 11, version: 1n });
  await handled(productId, 1);
  expect(await refusal(catalogue.asAnyone().getProduct({ productId }))).toMatchObject({
    code: Code.NotFound,
  });
  await catalogue.database.query(
    `insert into products select $1, name, description, category, currency_code, units, nanos, sort_name,
       search_text, created_at, updated_at from products limit 1`,
    [productId],
  );
  expect((await catalogue.asAnyone().getProduct({ productId })).available).toBe(11);
});
