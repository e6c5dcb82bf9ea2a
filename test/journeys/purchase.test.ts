/** A purchase over REST, and everything that can become of it. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { theShop } from "../system/the-shop.ts";
import { Customer, eventually, send } from "./customer.ts";

const shop = theShop();
let customer: Customer;
let admin: Customer;
beforeAll(async () => {
  [customer, admin] = await Promise.all([
    Customer.register(shop),
    Customer.signIn(shop, "admin@example.com"),
  ]);
});

/** A product of the test's own with this many pieces in stock. */
async function newProduct(stock: number): Promise<string> {
  const { body } = await admin.post("/v1/products", {
    name: `Kettle ${randomUUID()}`,
    category: "test",
    price: { currencyCode: "USD", units: "12", nanos: 500_000_000 },
  });
  await admin.post(`/v1/inventory/${body.id}:adjust`, { delta: stock });
  return body.id;
}

async function stockOf(productId: string) {
  const { available, reserved, sold } = (await customer.get(`/v1/inventory/${productId}`)).body;
  return { available: available ?? 0, reserved: reserved ?? 0, sold: sold ?? 0 };
}

const mailsAbout = (orderId: string) => shop.inbox().filter(({ subject }) => subject.includes(orderId));
const paymentOf = async (orderId: string) => (await customer.get(`/v1/orders/${orderId}/payment`)).body;

test("browse, order, be charged, be mailed", async () => {
  const { body: page } = await customer.get("/v1/products?pageSize=2&category=coffee");
  expect(page.products).toHaveLength(2);
  const productId = await newProduct(10);
  const placed = await customer.placeOrder([{ productId, quantity: 3 }]);
  expect(placed.status).toBe(201);
  expect(placed.body).toMatchObject({
    status: "PENDING",
    total: { currencyCode: "USD", units: "37", nanos: 500_000_000 },
  });
  const order = await customer.settledOrder(placed.body.id);
  expect(order.status).toBe("CONFIRMED");
  expect(await paymentOf(placed.body.id)).toMatchObject({ status: "CHARGED", amount: { units: "37" } });
  expect(await stockOf(productId)).toEqual({ available: 7, reserved: 0, sold: 3 });
  const mails = await eventually(
    "the mail",
    async () => mailsAbout(placed.body.id).length > 0 && mailsAbout(placed.body.id),
  );
  expect(mails).toHaveLength(1);
  expect(mails[0]?.to).toContain(customer.email);
  await eventually("the catalogue shows what is left", async () => {
    const { body } = await customer.get(`/v1/products/${productId}`);
    return body.available === 7;
  });
});

test("a declined card cancels the order and frees the stock", async () => {
  const productId = await newProduct(5);
  const { body } = await customer.placeOrder([{ productId, quantity: 2 }], "tok_declined");
  expect(await customer.settledOrder(body.id)).toMatchObject({
    status: "CANCELLED",
    cancelReason: "PAYMENT_DECLINED",
  });
  expect(await stockOf(productId)).toEqual({ available: 5, reserved: 0, sold: 0 });
  expect((await paymentOf(body.id)).status).toBe("DECLINED");
});

test("more than there is cancels the order and charges nothing", async () => {
  const productId = await newProduct(5);
  const { body } = await customer.placeOrder([{ productId, quantity: 6 }]);
  expect(await customer.settledOrder(body.id)).toMatchObject({
    status: "CANCELLED",
    cancelReason: "OUT_OF_STOCK",
  });
  expect(await stockOf(productId)).toEqual({ available: 5, reserved: 0, sold: 0 });
  expect((await paymentOf(body.id)).status).toBe("VOIDED");
});

test.each(["tok_flaky", "tok_timeout"])("a provider that fails at first charges once: %s", async (token) => {
  const productId = await newProduct(5);
  const { body } = await customer.placeOrder([{ productId, quantity: 1 }], token);
  expect((await customer.settledOrder(body.id)).status).toBe("CONFIRMED");
  expect((await paymentOf(body.id)).status).toBe("CHARGED");
});

test("cancelling a confirmed order refunds and restocks", async () => {
  const productId = await newProduct(5);
  const { body } = await customer.placeOrder([{ productId, quantity: 2 }]);
  expect((await customer.settledOrder(body.id)).status).toBe("CONFIRMED");
  const cancel = await customer.post(`/v1/orders/${body.id}:cancel`, {});
  expect(cancel).toMatchObject({ status: 200, body: { cancelReason: "REQUESTED" } });
  await eventually("cancelled", async () => (await customer.settledOrder(body.id)).status === "CANCELLED");
  expect(await stockOf(productId)).toEqual({ available: 5, reserved: 0, sold: 0 });
  expect((await paymentOf(body.id)).status).toBe("REFUNDED");
  expect((await customer.post(`/v1/orders/${body.id}:cancel`, {})).body.status).toBe("CANCELLED");
});

test("cancelling while the checkout runs ends in one consistent state", async () => {
  const productId = await newProduct(100);
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const { body } = await customer.placeOrder([{ productId, quantity: 1 }]);
      await new Promise((resolve) => setTimeout(resolve, index * 4));
      await customer.post(`/v1/orders/${body.id}:cancel`, {});
      await eventually(
        "cancelled",
        async () => (await customer.settledOrder(body.id)).status === "CANCELLED",
      );
      expect(["REFUNDED", "VOIDED"]).toContain((await paymentOf(body.id)).status);
    }),
  );
  expect(await stockOf(productId)).toEqual({ available: 100, reserved: 0, sold: 0 });
});

test("one key is one order, however often it comes", async () => {
  const productId = await newProduct(50);
  const key = randomUUID();
  const replies = await Promise.all(
    Array.from({ length: 50 }, () => customer.placeOrder([{ productId, quantity: 1 }], "tok_visa", key)),
  );
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([201]));
  await customer.settledOrder(replies[0]?.body.id);
  replies.push(await customer.placeOrder([{ productId, quantity: 1 }], "tok_visa", key));
  expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size, "all replies are the first one").toBe(
    1,
  );
  const other = await customer.placeOrder([{ productId, quantity: 2 }], "tok_visa", key);
  expect(other.status).toBe(422);
  expect(other.body.details[0].reason).toBe("IDEMPOTENCY_KEY_REUSED");
  const someone = await Customer.register(shop);
  expect((await someone.placeOrder([{ productId, quantity: 1 }], "tok_visa", key)).body.id).not.toBe(
    replies[0]?.body.id,
  );
});

test("an order can be watched until it is settled", async () => {
  const productId = await newProduct(5);
  const { body } = await customer.placeOrder([{ productId, quantity: 1 }]);
  const response = await fetch(`${shop.edgeUrl}/v1/orders/${body.id}:watch`, {
    headers: { authorization: `Bearer ${customer.token}`, accept: "application/x-ndjson" },
  });
  const statuses = (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).status);
  expect(statuses.at(-1)).toBe("CONFIRMED");
  expect(new Set(statuses).size).toBe(statuses.length);
  const events = await fetch(`${shop.edgeUrl}/v1/orders/${body.id}:watch`, {
    headers: { authorization: `Bearer ${customer.token}`, accept: "text/event-stream" },
  });
  expect(events.headers.get("content-type")).toContain("text/event-stream");
  expect(await events.text()).toMatch(/^data: .*"CONFIRMED"/m);
});

test("pages of orders show each order once, newest first", async () => {
  const someone = await Customer.register(shop);
  const productId = await newProduct(50);
  const placed: string[] = [];
  for (let count = 0; count < 5; count++)
    placed.push((await someone.placeOrder([{ productId, quantity: 1 }])).body.id);
  const seen: string[] = [];
  for (let token = ""; ; ) {
    const { body } = await someone.get(`/v1/orders?pageSize=2&pageToken=${token}`);
    seen.push(...body.orders.map((order: { id: string }) => order.id));
    token = body.nextPageToken ?? "";
    if (!token) break;
  }
  expect(seen).toEqual(placed.toReversed());
});

test("the request id goes through every hop, log line and error", async () => {
  const requestId = `journey-${randomUUID()}`;
  const productId = await newProduct(5);
  const order = { items: [{ productId, quantity: 1 }], paymentToken: "tok_visa" };
  const headers = { "x-request-id": requestId, "idempotency-key": randomUUID() };
  const placed = await customer.post("/v1/orders", order, headers);
  expect(placed.headers.get("x-request-id")).toBe(requestId);
  await customer.settledOrder(placed.body.id);
  for (const name of ["edge", "order", "product", "inventory", "payment", "email"]) {
    await eventually(`${name} has logged the request`, async () =>
      readFileSync(join(shop.dataDir, "logs", `${name}.log`), "utf8").includes(requestId),
    );
  }
  const refused = await send(shop, "GET", "/v1/orders", { headers: { "x-request-id": requestId } });
  expect(refused.status).toBe(401);
  expect(refused.headers.get("x-request-id")).toBe(requestId);
  const failed = await customer.post("/v1/orders", { ...order, items: [] }, headers);
  expect(failed.status).toBe(400);
  expect(failed.headers.get("x-request-id")).toBe(requestId);
});

test("a request id that could forge log lines is replaced", async () => {
  const reply = await send(shop, "GET", "/v1/products?pageSize=1", {
    headers: { "x-request-id": 'x" level="fatal' },
  });
  expect(reply.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});
