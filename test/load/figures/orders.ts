/** Customers who order, one after the other, until so many orders are confirmed. */
import { randomUUID } from "node:crypto";
import { Customer, type OrderLine } from "../../journeys/customer.ts";
import type { RunningShop } from "../../system/shop.ts";

/** One order of the first product, by a customer of the seed. Returns when it is confirmed. */
export async function buyAsAlice(shop: RunningShop): Promise<void> {
  const alice = await Customer.signIn(shop, "alice@example.com");
  const { body } = await alice.get("/v1/products?pageSize=1");
  await buy(alice, [{ productId: body.products[0].id, quantity: 1 }]);
}

/** Products with enough pieces for a run. @returns their ids */
export async function stockUp(shop: RunningShop, products: number, pieces: number): Promise<string[]> {
  const admin = await Customer.signIn(shop, "admin@example.com");
  const { body } = await admin.get(`/v1/products?pageSize=${products}`);
  const ids = body.products.map(({ id }: { id: string }) => id);
  for (const id of ids) {
    const reply = await admin.post(`/v1/inventory/${id}:adjust`, { delta: pieces });
    if (reply.status !== 200) throw new Error(`adjusting stock answered ${reply.status}`);
  }
  return ids;
}

/** Answers that say nothing of the order: the same key asks again (UNAVAILABLE, DEADLINE_EXCEEDED). */
const undecided = new Set([503, 504]);

/**
 * Has `customers` order at once, each waiting for the end of one order before the next.
 * @returns seconds until all are confirmed, and how often an order was placed again
 */
export async function buyMany(customers: readonly Customer[], productIds: readonly string[], orders: number) {
  let left = orders;
  let repeats = 0;
  const began = performance.now();
  const shopping = customers.map(async (customer) => {
    while (left-- > 0) {
      const productId = productIds[left % productIds.length] as string;
      repeats += await buy(customer, [{ productId, quantity: 1 }]);
    }
  });
  await Promise.all(shopping);
  return { seconds: (performance.now() - began) / 1_000, repeats };
}

/**
 * One order, and the wait for its end.
 * @returns how often it was placed again
 * @throws Error when the order is refused or cancelled
 */
async function buy(customer: Customer, items: OrderLine[]): Promise<number> {
  const key = randomUUID();
  let placed = await customer.placeOrder(items, "tok_visa", key);
  let repeats = 0;
  for (; undecided.has(placed.status) && repeats < 10; repeats++)
    placed = await customer.placeOrder(items, "tok_visa", key);
  if (placed.status !== 201)
    throw new Error(`an order was answered ${placed.status}: ${JSON.stringify(placed.body)}`);
  const watch = await fetch(new URL(`/v1/orders/${placed.body.id}:watch`, customer.shop.edgeUrl), {
    headers: { authorization: `Bearer ${customer.token}`, accept: "application/x-ndjson" },
  });
  const last = (await watch.text()).trim().split("\n").at(-1) ?? "";
  if (!last.includes('"CONFIRMED"')) throw new Error(`an order ended with ${watch.status}: ${last}`);
  return repeats;
}
