/** What customers send to the shop, as requests for an open loop. */
import { Customer } from "../../journeys/customer.ts";
import type { RunningShop } from "../../system/shop.ts";
import { http } from "./open-loop.ts";

export interface ShopRequests {
  readonly browse: string;
  readonly product: string;
  readonly stock: string;
  readonly me: string;
  readonly orders: string;
  readonly order: string;
}

/** A customer's requests; every "{n}" becomes another text each time. */
export async function shopRequests(shop: RunningShop): Promise<ShopRequests> {
  const admin = await Customer.signIn(shop, "admin@example.com");
  const alice = await Customer.signIn(shop, "alice@example.com");
  const { body } = await alice.get("/v1/products?pageSize=1");
  const { id } = body.products[0] as { id: string };
  await admin.post(`/v1/inventory/${id}:adjust`, { delta: 100_000 });
  const authorization = `Bearer ${alice.token}`;
  const order = JSON.stringify({ items: [{ productId: id, quantity: 1 }], paymentToken: "tok_visa" });
  return {
    browse: http("GET", "/v1/products?pageSize=5"),
    product: http("GET", `/v1/products/${id}`),
    stock: http("GET", `/v1/inventory/${id}`),
    me: http("GET", "/v1/users/me", { authorization }),
    orders: http("GET", "/v1/orders?pageSize=5", { authorization }),
    order: http("POST", "/v1/orders", { authorization, "idempotency-key": "load-{n}" }, order),
  };
}
