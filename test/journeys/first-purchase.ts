/**
 * Vitest's global set-up after that of the shop: one purchase. What happens for the first time connects and compiles,
 * which may take longer on a busy machine than a call may.
 */
import type { TestProject } from "vitest/node";
import { until } from "../system/runner-process.ts";
import { attachShop } from "../system/shop.ts";
import { Customer } from "./customer.ts";

export default async function firstPurchase(project: TestProject): Promise<void> {
  const shop = attachShop(project.getProvidedContext().shopReadyFile);
  const purchase = async () => {
    const customer = await Customer.register(shop);
    const { body } = await customer.get("/v1/products?pageSize=1");
    const placed = await customer.placeOrder([{ productId: body.products[0].id, quantity: 1 }]);
    return (await customer.settledOrder(placed.body.id)).status === "CONFIRMED";
  };
  await until("a first purchase", () => purchase().catch(() => false), 180);
}
