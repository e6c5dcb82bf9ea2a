/** What must be so at a provider before an example: each state makes it so and gives the values that examples name. */
import { v7 as uuidv7 } from "uuid";
import { expect } from "vitest";
import { AuthService } from "#gen/shop/auth/v1/auth_pb.ts";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { Order_Status, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { UserService } from "#gen/shop/user/v1/user_pb.ts";
import type { Served } from "../system/serve.ts";

/** Values by the names that examples call them: "${orderId}". */
export type Values = Readonly<Record<string, string>>;
type State = (shop: Served, values: Values) => Promise<Values>;

const password = "correct-horse-battery-staple";
const admin = { id: uuidv7(), roles: ["admin"] };
const price = { currencyCode: "USD", units: 12n, nanos: 900_000_000 };
const soon = { timeout: 60_000, interval: 50 };

export const states: Readonly<Record<string, State>> = {
  "a product": async (shop) => {
    const fields = { name: "House Espresso", description: "Dark.", category: "coffee", price };
    const { id } = await shop.client(ProductService, { user: admin }).createProduct(fields);
    return { productId: id };
  },
  "a product in stock": async (shop, values) => {
    const { productId } = await states["a product"]!(shop, values);
    await shop.client(InventoryService, { user: admin }).adjustStock({ productId, delta: 5 });
    return { productId: productId! };
  },
  "an id of nothing": async () => ({ unknownId: uuidv7() }),
  "an order": async () => ({ orderId: uuidv7(), customerId: uuidv7() }),
  "a reservation": async (shop, { orderId, productId }) => {
    const items = [{ productId: productId!, quantity: 2 }];
    await shop.client(InventoryService, { caller: "order" }).reserve({ orderId, items });
    return {};
  },
  "a charge": async (shop, { orderId, customerId }) => {
    const amount = { currencyCode: "USD", units: 25n, nanos: 800_000_000 };
    const charge = { commandId: `${orderId}:charge`, orderId, customerId, amount, paymentToken: "tok_visa" };
    await shop.client(PaymentService, { caller: "order" }).charge(charge);
    return {};
  },
  "a new address": async () => ({ email: `${uuidv7()}@example.com` }),
  "an account": async (shop) => {
    const email = `${uuidv7()}@example.com`;
    const { userId } = await shop.client(AuthService).register({ email, password, displayName: "Ann" });
    return { email, userId, customerId: userId };
  },
  "a session": async (shop, { email }) => {
    const { refreshToken } = await shop.client(AuthService).login({ email, password });
    return { refreshToken };
  },
  "a registration": (shop, values) => states["an account"]!(shop, values),
  "a profile": async (shop, values) => {
    const account = await states["an account"]!(shop, values);
    const me = shop.client(UserService, { user: { id: account.userId!, roles: ["customer"] } });
    await expect.poll(() => me.getMe({}).catch(() => undefined), soon).toBeDefined();
    return account;
  },
  "a confirmed purchase": (shop, values) => purchase(shop, values, "tok_visa", Order_Status.CONFIRMED),
  "a declined purchase": (shop, values) => purchase(shop, values, "tok_declined", Order_Status.CANCELLED),
};

async function purchase(
  shop: Served,
  values: Values,
  paymentToken: string,
  end: Order_Status,
): Promise<Values> {
  const { productId } = await states["a product in stock"]!(shop, values);
  const customerId = uuidv7();
  const orders = shop.client(OrderService, { user: { id: customerId, roles: ["customer"] } });
  const items = [{ productId: productId!, quantity: 2 }];
  const headers = { "idempotency-key": uuidv7() };
  const { id: orderId } = await orders.placeOrder({ items, paymentToken }, { headers });
  await expect.poll(async () => (await orders.getOrder({ orderId })).status, soon).toBe(end);
  return { orderId, customerId, productId: productId! };
}
