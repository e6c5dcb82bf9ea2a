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

/** Answers that say nothing of the order (OVERLOADED, UNAVAILABLE, DEADLINE_EXCEEDED): the client waits and asks again. */
const undecided = new Set([429, 503, 504]);
const waitMs = 1_000;
const mostRepeats = 60;

/**
 * Has `customers` order at once, each waiting for the end of one order before the next.
 * @returns seconds until all are confirmed, how often something was asked again, and the milliseconds that each
 *   order took
 */
export async function buyMany(customers: readonly Customer[], productIds: readonly string[], orders: number) {
  let left = orders;
  let repeats = 0;
  const latencies: number[] = [];
  const began = performance.now();
  const shopping = customers.map(async (customer) => {
    while (left-- > 0) {
      const productId = productIds[left % productIds.length] as string;
      const asked = performance.now();
      repeats += await buy(customer, [{ productId, quantity: 1 }]);
      latencies.push(performance.now() - asked);
    }
  });
  await Promise.all(shopping);
  return { seconds: (performance.now() - began) / 1_000, repeats, latencies };
}

/**
 * One order, and the wait for its end.
 * @returns how often something was asked again
 * @throws Error when the order is refused or cancelled
 */
async function buy(customer: Customer, items: OrderLine[]): Promise<number> {
  const key = randomUUID();
  const placed = await askUntilDecided(() => customer.placeOrder(items, "tok_visa", key));
  if (placed.reply.status !== 201)
    throw new Error(`an order was answered ${placed.reply.status}: ${JSON.stringify(placed.reply.body)}`);
  const watched = await askUntilDecided(() => watch(customer, placed.reply.body.id));
  const { status, last } = watched.reply;
  if (!last.includes('"CONFIRMED"')) throw new Error(`an order ended with ${status}: ${last}`);
  return placed.repeats + watched.repeats;
}

/** Follows an order to its end. @returns the last line, which is the order or an error */
async function watch({ shop, token }: Customer, orderId: string) {
  const response = await fetch(new URL(`/v1/orders/${orderId}:watch`, shop.edgeUrl), {
    headers: { authorization: `Bearer ${token}`, accept: "application/x-ndjson" },
  });
  return { status: response.status, last: (await response.text()).trim().split("\n").at(-1) ?? "" };
}

async function askUntilDecided<T extends { status: number }>(ask: () => Promise<T>) {
  for (let repeats = 0; ; repeats++) {
    const reply = await ask();
    if (!undecided.has(reply.status) || repeats === mostRepeats) return { reply, repeats };
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
