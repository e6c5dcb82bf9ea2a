/**
 * Two hundred orders while services and servers are killed. Afterwards nothing is lost, charged twice,
 * mailed twice or missing from the stock. This file has a shop of its own, since it breaks it.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensurePasswords } from "#local/passwords.ts";
import { type Shop, startShop } from "../system/shop.ts";
import { Customer, eventually } from "./customer.ts";

const orders = 200;
const victims = ["order", "payment", "inventory", "email", "product", "nats", "edge", "postgres"];
const stock = 10_000;

let shop: Shop;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop?.stop());

/** Places an order as a careful client does: the same key until there is an answer. */
async function placeUntilAnswered(
  customer: Customer,
  productId: string,
  token: string,
  key: string,
): Promise<string> {
  return eventually(
    "an answer to the order",
    async () => {
      const reply = await customer
        .placeOrder([{ productId, quantity: 2 }], token, key)
        .catch(() => undefined);
      if (reply?.status === 201) return reply.body.id as string;
      if (reply && reply.status < 500 && reply.status !== 429)
        throw new Error(`refused: ${JSON.stringify(reply.body)}`);
      return undefined;
    },
    60,
  );
}

async function rows<T extends pg.QueryResultRow>(service: string, sql: string): Promise<T[]> {
  const password = ensurePasswords(shop.dataDir, [`database/${service}`])(`database/${service}`);
  const database = `weft_${service}`;
  const client = new pg.Client({
    host: "127.0.0.1",
    port: shop.servicePort("postgres"),
    user: database,
    database,
    password,
  });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

test("kill anything, lose nothing", { timeout: 240_000 }, async () => {
  const admin = await Customer.signIn(shop, "admin@example.com");
  const price = { currencyCode: "USD", units: "3" };
  const productId = (await admin.post("/v1/products", { name: "Outage", category: "test", price })).body.id;
  await admin.post(`/v1/inventory/${productId}:adjust`, { delta: stock });
  const customers = await Promise.all(Array.from({ length: 8 }, () => Customer.register(shop)));

  const placed: { id: string; customer: Customer }[] = [];
  const ordering = customers.map(async (customer, index) => {
    for (let count = index; count < orders; count += customers.length) {
      const token = count % 10 === 3 ? "tok_declined" : count % 10 === 7 ? "tok_timeout" : "tok_visa";
      placed.push({ id: await placeUntilAnswered(customer, productId, token, randomUUID()), customer });
    }
  });
  const killing = (async () => {
    for (const [index, victim] of victims.entries()) {
      await eventually(
        "orders go on",
        async () => placed.length >= ((index + 1) * orders) / (victims.length + 2),
        120,
      );
      await shop.kill(victim);
      await shop.running(victim);
    }
  })();
  await Promise.all([...ordering, killing]);

  expect(placed).toHaveLength(orders);
  expect(new Set(placed.map(({ id }) => id)).size).toBe(orders);
  const settled = await Promise.all(placed.map(({ id, customer }) => customer.settledOrder(id, 60)));
  const confirmed = new Set(
    settled.filter(({ status }) => status === "CONFIRMED").map(({ id }) => id as string),
  );
  const declined = settled.filter(({ cancelReason }) => cancelReason === "PAYMENT_DECLINED");
  expect(declined).toHaveLength(orders / 10);
  expect(confirmed.size, "most orders are confirmed all the same").toBeGreaterThan(orders * 0.8);

  const ledger = await rows<{ order_id: string; charges: number; refunds: number }>(
    "payment",
    `select p.order_id, count(c.key)::int as charges, count(r.key)::int as refunds
     from payments p
     left join provider_charges c on c.key = p.order_id || ':charge' and c.outcome = 'charged'
     left join provider_refunds r on r.charge_key = c.key
     group by p.order_id`,
  );
  const [{ total } = { total: 0 }] = await rows<{ total: number }>(
    "payment",
    "select count(*)::int as total from provider_charges where outcome = 'charged'",
  );
  const net = new Map(ledger.map(({ order_id, charges, refunds }) => [order_id, charges - refunds]));
  expect(total, "no charge outside of the orders").toBe(
    ledger.reduce((sum, { charges }) => sum + charges, 0),
  );
  for (const { id } of placed)
    expect(net.get(id) ?? 0, `net charges of ${id}`).toBe(confirmed.has(id) ? 1 : 0);

  const left = (await admin.get(`/v1/inventory/${productId}`)).body;
  expect(left).toMatchObject({ available: stock - 2 * confirmed.size, sold: 2 * confirmed.size });
  expect(left.reserved ?? 0).toBe(0);

  await eventually("every order has its mail", async () => mailsAbout(placed).size === orders, 60);
  for (const [id, count] of mailsAbout(placed)) expect(count, `mails about ${id}`).toBe(1);
});

function mailsAbout(placed: { id: string }[]): Map<string, number> {
  const mails = shop.inbox();
  const counts = placed.map(
    ({ id }) => [id, mails.filter(({ subject }) => subject.includes(id)).length] as const,
  );
  return new Map(counts.filter(([, count]) => count > 0));
}
