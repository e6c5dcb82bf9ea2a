/** Lists and searches through the contract. */
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { refusal } from "../../test/system/refusal.ts";
import { type Catalogue, startCatalogue } from "./testdata/catalogue.ts";

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await startCatalogue();
});
afterAll(() => catalogue?.stop());

test("the seed fills the catalogue with at least 50 products in several categories, in the order of names", async () => {
  const { products } = await catalogue.asAnyone().listProducts({ pageSize: 100 });
  expect(products.length).toBeGreaterThanOrEqual(50);
  expect(new Set(products.map(({ category }) => category)).size).toBeGreaterThan(3);
  const names = products.map(({ name }) => name.toLowerCase());
  expect(names).toEqual(names.toSorted());
});

test("pages meet every product exactly once, also under equal names", async () => {
  const ids: string[] = [];
  for (const name of ["Same", "same", "Same", "SAME", "Sàme", "Same", "other"])
    ids.push((await catalogue.created({ name, category: "walk" })).id);
  const pages = await catalogue.walk({ category: "walk" });
  expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
  expect(pages.flat().toSorted()).toEqual(ids.toSorted());
});

test("a last page that is full has no token", async () => {
  for (let count = 0; count < 3; count++) await catalogue.created({ category: "full" });
  expect((await catalogue.walk({ category: "full" })).length).toBe(1);
});

test("products added and taken out during a walk do not disturb the others", async () => {
  const [a, b, c, d] = await Promise.all(
    ["a", "b", "c", "d"].map((name) => catalogue.created({ name, category: "busy" })),
  );
  const first = await catalogue.asAnyone().listProducts({ category: "busy", pageSize: 2 });
  expect(first.products.map(({ id }) => id)).toEqual([a?.id, b?.id]);
  await catalogue.asAdmin().deleteProduct({ productId: b?.id ?? "" });
  await catalogue.created({ name: "aa", category: "busy" });
  const rest = await catalogue.asAnyone().listProducts({ category: "busy", pageToken: first.nextPageToken });
  expect(rest.products.map(({ id }) => id)).toEqual([c?.id, d?.id]);
});

test("a damaged token and a token of other filters are refused by name", async () => {
  for (let count = 0; count < 2; count++) await catalogue.created({ category: "tokens" });
  const { nextPageToken } = await catalogue.asAnyone().listProducts({ category: "tokens", pageSize: 1 });
  const invalid = { code: Code.InvalidArgument, reason: "PAGE_TOKEN_INVALID", fields: ["page_token"] };
  const flipped = (nextPageToken.startsWith("A") ? "B" : "A") + nextPageToken.slice(1);
  expect(
    await refusal(catalogue.asAnyone().listProducts({ category: "tokens", pageToken: flipped })),
  ).toEqual(invalid);
  expect(
    await refusal(catalogue.asAnyone().listProducts({ category: "tokens", pageToken: "x'; --" })),
  ).toEqual(invalid);
  expect(await refusal(catalogue.asAnyone().listProducts({ pageToken: nextPageToken }))).toEqual(invalid);
  expect(
    await refusal(
      catalogue.asAnyone().listProducts({ category: "tokens", query: "thing", pageToken: nextPageToken }),
    ),
  ).toEqual(invalid);
});

test("every word of a search must match, in the name or the description, in any case", async () => {
  const { id } = await catalogue.created({
    name: "Crème Brûlée kit",
    description: "Torch INCLUDED",
    category: "search",
  });
  await catalogue.created({ name: "Torch", description: "for camping", category: "search" });
  expect((await catalogue.walk({ category: "search", query: "included creme" })).flat()).toEqual([id]);
  expect((await catalogue.walk({ category: "search", query: "TORCH" })).flat().length).toBe(2);
  expect((await catalogue.walk({ category: "search", query: "torch missing" })).flat()).toEqual([]);
});

test("wildcards, quotes and backslashes in a search find only themselves", async () => {
  const { id } = await catalogue.created({ name: "100% _pure_ \\o/ it's", category: "wild" });
  await catalogue.created({ name: "100 plain", category: "wild" });
  for (const query of ["100%", "_pure_", "\\o/", "it's", "%"])
    expect((await catalogue.walk({ category: "wild", query })).flat(), query).toEqual([id]);
  expect((await catalogue.walk({ category: "wild", query: "1_0" })).flat()).toEqual([]);
});

test("a list by name, by category and by word is answered from an index", async () => {
  await catalogue.database.query(
    `insert into products select gen_random_uuid(), 'Filler', '', 'filler', 'USD', 1, 0, 'filler ' || n,
       repeat('filler ', 100) || n, now(), now() from generate_series(1, 5000) n`,
  );
  await catalogue.database.query("analyze products");
  const planOf = async (where: string) => {
    const { rows } = await catalogue.database.query(
      `explain select * from products where deleted_at is null and ${where} order by sort_name, id limit 21`,
    );
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  };
  const behind = `sort_name >= 'filler 4' and (sort_name > 'filler 4' or id > '${uuidv7()}')`;
  expect(await planOf(behind)).toContain("products_by_name");
  expect(await planOf(`category = 'filler' and ${behind}`)).toContain("products_by_");
  // So few rows are read faster than an index of trigrams is; what matters is that it can be used.
  await catalogue.database.query("set enable_seqscan = off; set enable_indexscan = off");
  expect(await planOf("search_text like '%included%'")).toContain("products_by_word");
});
