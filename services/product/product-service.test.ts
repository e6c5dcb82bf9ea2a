/** The catalogue through its contract, with a stand-in for inventory that tells stock events. */
import { Code, type ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BadRequestSchema } from "#gen/google/rpc/error_details_pb.ts";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import seed from "../../deploy/local/seed.json" with { type: "json" };
import { producer } from "../../test/system/producer.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { product } from "./service.ts";

const inventory = producer(InventoryService, [StockChangedSchema]);
let served: Served;
let database: pg.Client;
beforeAll(async () => {
  served = await serve([inventory.definition, product], { seed });
  database = new pg.Client({ connectionString: served.database("product") });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await served?.stop();
});

const admin = { id: uuidv7(), roles: ["admin"] };
const customer = { id: uuidv7(), roles: ["customer"] };
const asAnyone = () => served.client(ProductService);
const asAdmin = () => served.client(ProductService, { user: admin });
const asOrder = () => served.client(ProductService, { caller: "order" });
const price = { currencyCode: "USD", units: 12n, nanos: 900_000_000 };

async function created(fields: { name?: string; description?: string; category?: string } = {}) {
  return asAdmin().createProduct({ name: "Thing", description: "", category: "things", price, ...fields });
}

/** Walks all pages. */
async function walk(filters: { category?: string; query?: string; pageSize?: number }) {
  const pages: string[][] = [];
  let pageToken = "";
  do {
    const page = await asAnyone().listProducts({ pageSize: 3, ...filters, pageToken });
    pages.push(page.products.map(({ id }) => id));
    pageToken = page.nextPageToken;
    expect(pages.length, "pages go round in circles").toBeLessThan(20);
  } while (pageToken);
  return pages;
}

async function refusal(call: Promise<unknown>) {
  const error = (await call.then(
    () => expect.fail("the call was not refused"),
    (error: unknown) => error,
  )) as ConnectError;
  const fields = error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field) ?? [];
  return { code: error.code, reason: reasonOf(error), fields };
}

test("the seed fills the catalogue with at least 50 products in several categories, in the order of names", async () => {
  const { products } = await asAnyone().listProducts({ pageSize: 100 });
  expect(products.length).toBeGreaterThanOrEqual(50);
  expect(new Set(products.map(({ category }) => category)).size).toBeGreaterThan(3);
  const names = products.map(({ name }) => name.toLowerCase());
  expect(names).toEqual(names.toSorted());
});

test("pages meet every product exactly once, also under equal names", async () => {
  const ids: string[] = [];
  for (const name of ["Same", "same", "Same", "SAME", "Sàme", "Same", "other"])
    ids.push((await created({ name, category: "walk" })).id);
  const pages = await walk({ category: "walk" });
  expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
  expect(pages.flat().toSorted()).toEqual(ids.toSorted());
});

test("a last page that is full has no token", async () => {
  for (let count = 0; count < 3; count++) await created({ category: "full" });
  expect((await walk({ category: "full" })).length).toBe(1);
});

test("products added and taken out during a walk do not disturb the others", async () => {
  const [a, b, c, d] = await Promise.all(
    ["a", "b", "c", "d"].map((name) => created({ name, category: "busy" })),
  );
  const first = await asAnyone().listProducts({ category: "busy", pageSize: 2 });
  expect(first.products.map(({ id }) => id)).toEqual([a?.id, b?.id]);
  await asAdmin().deleteProduct({ productId: b?.id ?? "" });
  await created({ name: "aa", category: "busy" });
  const rest = await asAnyone().listProducts({ category: "busy", pageToken: first.nextPageToken });
  expect(rest.products.map(({ id }) => id)).toEqual([c?.id, d?.id]);
});

test("a damaged token and a token of other filters are refused by name", async () => {
  for (let count = 0; count < 2; count++) await created({ category: "tokens" });
  const { nextPageToken } = await asAnyone().listProducts({ category: "tokens", pageSize: 1 });
  const invalid = { code: Code.InvalidArgument, reason: "PAGE_TOKEN_INVALID", fields: ["page_token"] };
  const flipped = (nextPageToken.startsWith("A") ? "B" : "A") + nextPageToken.slice(1);
  expect(await refusal(asAnyone().listProducts({ category: "tokens", pageToken: flipped }))).toEqual(invalid);
  expect(await refusal(asAnyone().listProducts({ category: "tokens", pageToken: "x'; --" }))).toEqual(
    invalid,
  );
  expect(await refusal(asAnyone().listProducts({ pageToken: nextPageToken }))).toEqual(invalid);
  expect(
    await refusal(asAnyone().listProducts({ category: "tokens", query: "thing", pageToken: nextPageToken })),
  ).toEqual(invalid);
});

test("every word of a search must match, in the name or the description, in any case", async () => {
  const { id } = await created({
    name: "Crème Brûlée kit",
    description: "Torch INCLUDED",
    category: "search",
  });
  await created({ name: "Torch", description: "for camping", category: "search" });
  expect((await walk({ category: "search", query: "included creme" })).flat()).toEqual([id]);
  expect((await walk({ category: "search", query: "TORCH" })).flat().length).toBe(2);
  expect((await walk({ category: "search", query: "torch missing" })).flat()).toEqual([]);
});

test("wildcards, quotes, backslashes and NUL in a search find only themselves", async () => {
  const { id } = await created({ name: "100% _pure_ \\o/ it's", category: "wild" });
  await created({ name: "100 plain", category: "wild" });
  for (const query of ["100%", "_pure_", "\\o/", "it's", "%"])
    expect((await walk({ category: "wild", query })).flat(), query).toEqual([id]);
  expect((await walk({ category: "wild", query: "1_0" })).flat()).toEqual([]);
});

test("only an admin changes the catalogue", async () => {
  const { id: productId } = await created();
  const denied = { code: Code.PermissionDenied, reason: "ROLE_MISSING" };
  const asCustomer = served.client(ProductService, { user: customer });
  const fields = { name: "Mine", category: "x", price };
  expect(await refusal(asCustomer.createProduct(fields))).toMatchObject(denied);
  expect(await refusal(asCustomer.updateProduct({ productId, name: "Mine" }))).toMatchObject(denied);
  expect(await refusal(asCustomer.deleteProduct({ productId }))).toMatchObject(denied);
  expect(await refusal(asAnyone().updateProduct({ productId, name: "Mine" }))).toMatchObject({
    code: Code.Unauthenticated,
  });
  expect((await asAnyone().getProduct({ productId })).name).toBe("Thing");
});

test("a change leaves alone what it does not name, and an empty text is a text", async () => {
  const before = await created({ name: "Old", description: "Words", category: "patch" });
  const productId = before.id;
  const renamed = await asAdmin().updateProduct({ productId, name: "New" });
  expect(renamed).toMatchObject({ name: "New", description: "Words", category: "patch", price });
  const emptied = await asAdmin().updateProduct({ productId, description: "" });
  expect(emptied).toMatchObject({ name: "New", description: "" });
  const cheaper = { currencyCode: "USD", units: 1n, nanos: 10_000_000 };
  expect((await asAdmin().updateProduct({ productId, price: cheaper })).price).toMatchObject(cheaper);
  expect((await walk({ category: "patch", query: "new" })).flat()).toEqual([productId]);
  expect((await walk({ category: "patch", query: "old" })).flat()).toEqual([]);
  const same = await asAdmin().updateProduct({ productId, name: "New" });
  const again = await asAdmin().updateProduct({ productId });
  expect(again.updatedAt).toEqual(same.updatedAt);
});

test("concurrent changes of different fields are all kept", async () => {
  const { id: productId } = await created();
  await Promise.all([
    asAdmin().updateProduct({ productId, name: "Both" }),
    asAdmin().updateProduct({ productId, description: "kept" }),
    asAdmin().updateProduct({ productId, category: "together" }),
  ]);
  const after = await asAnyone().getProduct({ productId });
  expect(after).toMatchObject({ name: "Both", description: "kept", category: "together" });
});

test("bad fields are refused by name", async () => {
  const bad = { name: "a\u0000b", category: "x", price };
  expect(await refusal(asAdmin().createProduct(bad))).toMatchObject({
    code: Code.InvalidArgument,
    fields: ["name"],
  });
  const halfCent = { ...price, nanos: 5_000_000 };
  expect(await refusal(asAdmin().createProduct({ name: "x", category: "x", price: halfCent }))).toMatchObject(
    {
      code: Code.InvalidArgument,
      fields: ["price"],
    },
  );
  expect(await refusal(asAnyone().listProducts({ pageSize: 101 }))).toMatchObject({ fields: ["page_size"] });
  expect(await refusal(asAnyone().getProduct({ productId: "../1" }))).toMatchObject({
    fields: ["product_id"],
  });
});

test("a deleted product is gone from everywhere, and deleting it again is fine", async () => {
  const { id: productId } = await created({ category: "gone" });
  await asAdmin().deleteProduct({ productId });
  await asAdmin().deleteProduct({ productId });
  const notFound = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND" };
  expect(await refusal(asAnyone().getProduct({ productId }))).toMatchObject(notFound);
  expect(await refusal(asAdmin().updateProduct({ productId, name: "Back" }))).toMatchObject(notFound);
  expect(await walk({ category: "gone" })).toEqual([[]]);
  expect((await asOrder().batchGetProducts({ productIds: [productId] })).products).toEqual([]);
});

test("an unknown product is not found", async () => {
  const notFound = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND", fields: [] };
  const productId = uuidv7();
  expect(await refusal(asAnyone().getProduct({ productId }))).toEqual(notFound);
  expect(await refusal(asAdmin().updateProduct({ productId, name: "x" }))).toEqual(notFound);
  expect(await refusal(asAdmin().deleteProduct({ productId }))).toEqual(notFound);
});

test("order gets several products at once, unknown ones left out; the outside may not ask", async () => {
  const { id } = await created();
  const { products } = await asOrder().batchGetProducts({ productIds: [id, id, uuidv7()] });
  expect(products).toMatchObject([{ id, price }]);
  expect(await refusal(asAnyone().batchGetProducts({ productIds: [id] }))).toMatchObject({
    code: Code.PermissionDenied,
  });
});

/** Waits until so many events of a product were handled, whatever their effect. */
async function handled(productId: string, events: number) {
  await vi.waitFor(
    async () => {
      const sql = "select 1 from inbox where event_id = any($1)";
      const ids = await eventIdsOf(productId);
      expect((await database.query(sql, [ids])).rowCount).toBe(events);
    },
    { timeout: 10_000, interval: 20 },
  );
}

async function eventIdsOf(key: string): Promise<string[]> {
  const outbox = new pg.Client({ connectionString: served.database("inventory") });
  await outbox.connect();
  try {
    const { rows } = await outbox.query<{ id: string }>("select id from outbox where key = $1", [key]);
    return rows.map(({ id }) => id);
  } finally {
    await outbox.end();
  }
}

test("availability follows inventory's events, and an older version is ignored", async () => {
  const { id: productId, available } = await created();
  expect(available).toBe(0);
  await inventory.record(StockChangedSchema, { productId, available: 7, version: 5n });
  await handled(productId, 1);
  await inventory.record(
    StockChangedSchema,
    { productId, available: 9, version: 4n },
    { productId, available: 8, version: 5n },
  );
  await handled(productId, 3);
  expect((await asAnyone().getProduct({ productId })).available).toBe(7);
  await inventory.record(StockChangedSchema, { productId, available: 3, version: 6n });
  await handled(productId, 4);
  expect((await asAnyone().getProduct({ productId })).available).toBe(3);
});

test("stock that is told before the product exists is there when it does", async () => {
  const { id: productId } = await created();
  await database.query("delete from products where id = $1", [productId]);
  await inventory.record(StockChangedSchema, { productId, available: 11, version: 1n });
  await handled(productId, 1);
  expect(await refusal(asAnyone().getProduct({ productId }))).toMatchObject({ code: Code.NotFound });
  await database.query(
    `insert into products select $1, name, description, category, currency_code, units, nanos, sort_name,
       search_text, created_at, updated_at from products limit 1`,
    [productId],
  );
  expect((await asAnyone().getProduct({ productId })).available).toBe(11);
});

test("a list by name, by category and by word is answered from an index", async () => {
  await database.query(
    `insert into products select gen_random_uuid(), 'Filler', '', 'filler', 'USD', 1, 0, 'filler ' || n,
       repeat('filler ', 100) || n, now(), now() from generate_series(1, 5000) n`,
  );
  await database.query("analyze products");
  const planOf = async (where: string) => {
    const { rows } = await database.query(
      `explain select * from products where deleted_at is null and ${where} order by sort_name, id limit 21`,
    );
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  };
  const behind = `sort_name >= 'filler 4' and (sort_name > 'filler 4' or id > '${uuidv7()}')`;
  expect(await planOf(behind)).toContain("products_by_name");
  expect(await planOf(`category = 'filler' and ${behind}`)).toContain("products_by_");
  // So few rows are read faster than an index of trigrams is; what matters is that it can be used.
  await database.query("set enable_seqscan = off; set enable_indexscan = off");
  expect(await planOf("search_text like '%included%'")).toContain("products_by_word");
});
