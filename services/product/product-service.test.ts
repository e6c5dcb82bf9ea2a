/** Reading and changing the catalogue through its contract. */
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Catalogue, price, startCatalogue } from "./testdata/catalogue.ts";

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await startCatalogue();
});
afterAll(() => catalogue?.stop());

const customer = { id: uuidv7(), roles: ["customer"] };

test("only an admin changes the catalogue", async () => {
  const { id: productId } = await catalogue.created();
  const denied = { code: Code.PermissionDenied, reason: "ROLE_MISSING" };
  const asCustomer = catalogue.served.client(ProductService, { user: customer });
  const fields = { name: "Mine", category: "x", price };
  expect(await refusal(asCustomer.createProduct(fields))).toMatchObject(denied);
  expect(await refusal(asCustomer.updateProduct({ productId, name: "Mine" }))).toMatchObject(denied);
  expect(await refusal(asCustomer.deleteProduct({ productId }))).toMatchObject(denied);
  expect(await refusal(catalogue.asAnyone().updateProduct({ productId, name: "Mine" }))).toMatchObject({
    code: Code.Unauthenticated,
  });
  expect((await catalogue.asAnyone().getProduct({ productId })).name).toBe("Thing");
});

test("a change leaves alone what it does not name, and an empty text is a text", async () => {
  const before = await catalogue.created({ name: "Old", description: "Words", category: "patch" });
  const productId = before.id;
  const renamed = await catalogue.asAdmin().updateProduct({ productId, name: "New" });
  expect(renamed).toMatchObject({ name: "New", description: "Words", category: "patch", price });
  const emptied = await catalogue.asAdmin().updateProduct({ productId, description: "" });
  expect(emptied).toMatchObject({ name: "New", description: "" });
  const cheaper = { currencyCode: "USD", units: 1n, nanos: 10_000_000 };
  expect((await catalogue.asAdmin().updateProduct({ productId, price: cheaper })).price).toMatchObject(
    cheaper,
  );
  expect((await catalogue.walk({ category: "patch", query: "new" })).flat()).toEqual([productId]);
  expect((await catalogue.walk({ category: "patch", query: "old" })).flat()).toEqual([]);
  const same = await catalogue.asAdmin().updateProduct({ productId, name: "New" });
  const again = await catalogue.asAdmin().updateProduct({ productId });
  expect(again.updatedAt).toEqual(same.updatedAt);
});

test("concurrent changes of different fields are all kept", async () => {
  const { id: productId } = await catalogue.created();
  await Promise.all([
    catalogue.asAdmin().updateProduct({ productId, name: "Both" }),
    catalogue.asAdmin().updateProduct({ productId, description: "kept" }),
    catalogue.asAdmin().updateProduct({ productId, category: "together" }),
  ]);
  const after = await catalogue.asAnyone().getProduct({ productId });
  expect(after).toMatchObject({ name: "Both", description: "kept", category: "together" });
});

test("bad fields are refused by name", async () => {
  const bad = { name: "a\u0000b", category: "x", price };
  expect(await refusal(catalogue.asAdmin().createProduct(bad))).toMatchObject({
    code: Code.InvalidArgument,
    fields: ["name"],
  });
  const halfCent = { ...price, nanos: 5_000_000 };
  expect(
    await refusal(catalogue.asAdmin().createProduct({ name: "x", category: "x", price: halfCent })),
  ).toMatchObject({
    code: Code.InvalidArgument,
    fields: ["price"],
  });
  expect(await refusal(catalogue.asAnyone().listProducts({ pageSize: 101 }))).toMatchObject({
    fields: ["page_size"],
  });
  expect(await refusal(catalogue.asAnyone().getProduct({ productId: "../1" }))).toMatchObject({
    fields: ["product_id"],
  });
});

test("a deleted product is gone from everywhere, and deleting it again is fine", async () => {
  const { id: productId } = await catalogue.created({ category: "gone" });
  await catalogue.asAdmin().deleteProduct({ productId });
  await catalogue.asAdmin().deleteProduct({ productId });
  const notFound = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND" };
  expect(await refusal(catalogue.asAnyone().getProduct({ productId }))).toMatchObject(notFound);
  expect(await refusal(catalogue.asAdmin().updateProduct({ productId, name: "Back" }))).toMatchObject(
    notFound,
  );
  expect(await catalogue.walk({ category: "gone" })).toEqual([[]]);
  expect((await catalogue.asOrder().batchGetProducts({ productIds: [productId] })).products).toEqual([]);
});

test("an unknown product is not found", async () => {
  const notFound = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND", fields: [] };
  const productId = uuidv7();
  expect(await refusal(catalogue.asAnyone().getProduct({ productId }))).toEqual(notFound);
  expect(await refusal(catalogue.asAdmin().updateProduct({ productId, name: "x" }))).toEqual(notFound);
  expect(await refusal(catalogue.asAdmin().deleteProduct({ productId }))).toEqual(notFound);
});

test("order gets several products at once, unknown ones left out; the outside may not ask", async () => {
  const { id } = await catalogue.created();
  const { products } = await catalogue.asOrder().batchGetProducts({ productIds: [id, id, uuidv7()] });
  expect(products).toMatchObject([{ id, price }]);
  expect(await refusal(catalogue.asAnyone().batchGetProducts({ productIds: [id] }))).toMatchObject({
    code: Code.PermissionDenied,
  });
});
