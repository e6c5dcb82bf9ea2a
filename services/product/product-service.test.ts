import { afterAll, beforeAll, expect, test } from "vitest";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import seed from "../../deploy/local/seed.json" with { type: "json" };
import { type Served, serve } from "../../test/system/serve.ts";
import { product } from "./service.ts";

let served: Served;
beforeAll(async () => {
  served = await serve([product], { seed });
});
afterAll(() => served?.stop());

test("the seeded catalogue is listed by name", async () => {
  const { products } = await served.client(ProductService).listProducts({ pageSize: 100 });
  expect(products.length).toBeGreaterThanOrEqual(50);
});
