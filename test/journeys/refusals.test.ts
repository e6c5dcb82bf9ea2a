/** What the shop refuses, with which code and which words. */
import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { theShop } from "../system/the-shop.ts";
import { Customer, eventually, type Reply, send } from "./customer.ts";

const shop = theShop();
let customer: Customer;
let stranger: Customer;
let productId: string;
let orderId: string;
beforeAll(async () => {
  [customer, stranger] = await Promise.all([Customer.register(shop), Customer.register(shop)]);
  productId = (await customer.get("/v1/products?pageSize=1")).body.products[0].id;
  orderId = (await customer.placeOrder([{ productId, quantity: 1 }])).body.id;
});

const fieldsOf = ({ body }: Reply): string[] =>
  (body.details ?? []).flatMap((detail: { fieldViolations?: { field: string }[] }) =>
    (detail.fieldViolations ?? []).map(({ field }) => field),
  );
const reasonOf = ({ body }: Reply): string | undefined =>
  (body.details ?? []).map((detail: { reason?: string }) => detail.reason).find(Boolean);

test("wrong password and unknown address get one answer", async () => {
  const wrong = await send(shop, "POST", "/v1/auth/login", {
    body: { email: customer.email, password: "not-the-password" },
  });
  const unknown = await send(shop, "POST", "/v1/auth/login", {
    body: { email: "nobody@example.com", password: "not-the-password" },
  });
  expect(wrong.status).toBe(401);
  expect(reasonOf(wrong)).toBe("CREDENTIALS_WRONG");
  expect(unknown.body).toEqual(wrong.body);
});

test("a refresh token works once, and reuse ends the session", async () => {
  const refresh = (refreshToken: string) =>
    send(shop, "POST", "/v1/auth/refresh", { body: { refreshToken } });
  const { refreshToken } = await Customer.register(shop);
  const second = await refresh(refreshToken);
  expect(second.status).toBe(200);
  expect(reasonOf(await refresh(refreshToken))).toBe("REFRESH_TOKEN_REUSED");
  expect((await refresh(second.body.refreshToken)).status).toBe(401);
});

test("after logout the session cannot be refreshed", async () => {
  const someone = await Customer.register(shop);
  expect((await someone.post("/v1/auth/logout", { refreshToken: someone.refreshToken })).status).toBe(200);
  const again = await send(shop, "POST", "/v1/auth/refresh", {
    body: { refreshToken: someone.refreshToken },
  });
  expect(again.status).toBe(401);
});

test("after signing out everywhere the access token is void at the edge and in services, within seconds", async () => {
  const someone = await Customer.register(shop);
  expect((await someone.get("/v1/orders")).status).toBe(200);
  expect((await someone.post("/v1/auth/logout", {})).status).toBe(200);
  const { body } = await eventually("refused at the edge", async () => {
    const reply = await someone.get("/v1/orders");
    return reply.status === 401 ? reply : undefined;
  });
  expect(body.details[0].reason).toBe("TOKEN_REVOKED");
  const direct = `http://127.0.0.1:${shop.servicePort("order")}/shop.order.v1.OrderService/ListOrders`;
  const headers = { authorization: `Bearer ${someone.token}`, "content-type": "application/json" };
  const inside = await eventually("refused in the service", async () => {
    const { status } = await fetch(direct, { method: "POST", headers, body: "{}" });
    return status === 401 ? status : undefined;
  });
  expect(inside).toBe(401);
  expect((await customer.get("/v1/orders")).status).toBe(200);
});

test("only admins change the catalogue and the stock", async () => {
  const price = { currencyCode: "USD", units: "1" };
  expect((await customer.post("/v1/products", { name: "x", category: "x", price })).status).toBe(403);
  expect((await customer.patch(`/v1/products/${productId}`, { name: "mine" })).status).toBe(403);
  expect((await customer.post(`/v1/inventory/${productId}:adjust`, { delta: 1 })).status).toBe(403);
  expect((await send(shop, "PATCH", `/v1/products/${productId}`, { body: { name: "mine" } })).status).toBe(
    401,
  );
});

test("somebody else's order does not exist", async () => {
  for (const path of [
    `/v1/orders/${orderId}`,
    `/v1/orders/${orderId}/payment`,
    `/v1/orders/${orderId}:watch`,
  ]) {
    const reply = await stranger.get(path);
    expect(reply.status, path).toBe(404);
    expect(JSON.stringify(reply.body)).not.toContain(customer.email);
  }
  expect((await stranger.post(`/v1/orders/${orderId}:cancel`, {})).status).toBe(404);
  expect((await customer.settledOrder(orderId)).status).toBe("CONFIRMED");
});

test("an unknown product is named", async () => {
  const reply = await customer.placeOrder([
    { productId, quantity: 1 },
    { productId: randomUUID(), quantity: 1 },
  ]);
  expect(reply.status).toBe(400);
  expect(reasonOf(reply)).toBe("PRODUCT_UNKNOWN");
  expect(fieldsOf(reply)).toEqual(["items[1].product_id"]);
});

test.each([
  ["no items", { items: [], paymentToken: "tok_visa" }, "items"],
  [
    "quantity zero",
    { items: [{ productId: "P", quantity: 0 }], paymentToken: "tok_visa" },
    "items[0].quantity",
  ],
  [
    "quantity below zero",
    { items: [{ productId: "P", quantity: -1 }], paymentToken: "tok_visa" },
    "items[0].quantity",
  ],
  [
    "product twice",
    {
      items: [
        { productId: "P", quantity: 1 },
        { productId: "P", quantity: 1 },
      ],
      paymentToken: "tok_visa",
    },
    "items",
  ],
  [
    "id that is none",
    { items: [{ productId: "1 OR 1=1", quantity: 1 }], paymentToken: "tok_visa" },
    "items[0].product_id",
  ],
  ["no payment token", { items: [{ productId: "P", quantity: 1 }] }, "payment_token"],
])("a bad order names the field: %s", async (_name, body, field) => {
  const text = JSON.stringify(body).replaceAll('"P"', JSON.stringify(productId));
  const reply = await customer.post("/v1/orders", JSON.parse(text), { "idempotency-key": randomUUID() });
  expect(reply.status).toBe(400);
  expect(fieldsOf(reply)).toContain(field);
});

test("unknown fields, also at registration, are refused", async () => {
  const body = { email: `${randomUUID()}@example.com`, password: "a-long-enough-password", role: "admin" };
  const reply = await send(shop, "POST", "/v1/auth/register", { body });
  expect(reply.status).toBe(400);
  expect(JSON.stringify(reply.body)).toContain("role");
});

test.each(["pageSize=1000000000", "pageSize=-1", "pageSize=x", "pageToken=x", "sort=name"])(
  "a bad page is refused: %s",
  async (query) => {
    expect((await customer.get(`/v1/products?${query}`)).status).toBe(400);
    expect((await customer.get(`/v1/orders?${query}`)).status).toBe(400);
  },
);

test("services are not reached around their contract", async () => {
  for (const path of ["/metrics", "/debug", "/.git/config", "/v0/orders", "/v1/orders/x/y/z"]) {
    expect((await customer.get(path)).status, path).toBe(404);
  }
  expect((await send(shop, "DELETE", "/v1/orders", { token: customer.token })).status).toBe(405);
  const internal = await customer.post("/shop.payment.v1.PaymentService/Refund", {
    commandId: "x",
    orderId,
    customerId: orderId,
  });
  expect(internal.status).toBe(404);
});

test("no refusal speaks of the inside", async () => {
  const replies = await Promise.all([
    customer.get("/v1/orders/%00"),
    customer.get(`/v1/orders/${"x".repeat(10_000)}`),
    customer.get("/v1/products?query=%25_%27%22"),
    send(shop, "POST", "/v1/auth/login", { body: { email: ["x"], password: {} } }),
    send(shop, "POST", "/v1/auth/login", { body: { email: "a\u0000b@example.com", password: "x\u0000" } }),
  ]);
  for (const { status, body } of replies) {
    expect(status).toBeLessThan(500);
    expect(JSON.stringify(body)).not.toMatch(/select |postgres|127\.0\.0\.1|node_modules|\bat .*\.ts:/i);
  }
});
