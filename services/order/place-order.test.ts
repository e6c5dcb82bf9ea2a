/** Placing orders through the contract, against the real catalogue. */
import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OrderPlacedSchema } from "#gen/shop/order/v1/events_pb.ts";
import { Order_Status } from "#gen/shop/order/v1/order_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Market, price, startMarket } from "./testdata/market.ts";

let market: Market;
beforeAll(async () => {
  market = await startMarket();
});
afterAll(() => market?.stop());

const count = async (sql: string, values: unknown[] = []) =>
  Number((await market.orders.query(sql, values)).rows[0].count);

test("an order is answered at once with what was bought and what it costs, and ends confirmed", async () => {
  const [espresso, grinder] = [await market.stocked(10), await market.stocked(10)];
  const customer = market.customer();
  const order = await customer.place([
    { productId: espresso, quantity: 2 },
    { productId: grinder, quantity: 1 },
  ]);
  expect(order).toMatchObject({
    status: Order_Status.PENDING,
    items: [
      { productId: espresso, productName: "House Espresso", quantity: 2, unitPrice: price },
      { productId: grinder, productName: "House Espresso", quantity: 1, unitPrice: price },
    ],
    total: { currencyCode: "USD", units: 38n, nanos: 700_000_000 },
  });
  const confirmed = await customer.reached(order.id, Order_Status.CONFIRMED);
  expect(confirmed).toMatchObject({ items: order.items, total: order.total, createdAt: order.createdAt });
  expect(await market.stockOf(espresso)).toEqual({ available: 8, reserved: 0, sold: 2 });
  expect(await market.stockOf(grinder)).toEqual({ available: 9, reserved: 0, sold: 1 });
  expect(await market.ledger(order.id)).toEqual({ charges: 1, refunds: 0 });
  expect(await market.eventsOf(order.id)).toEqual(["OrderPlaced", "OrderConfirmed"]);
});

test("the event says what the reply said", async () => {
  const customer = market.customer();
  const order = await customer.place([{ productId: await market.stocked(1), quantity: 1 }]);
  const { rows } = await market.orders.query(
    "select payload from outbox where key = $1 and type = 'shop.order.v1.OrderPlaced'",
    [order.id],
  );
  expect(fromBinary(OrderPlacedSchema, rows[0].payload)).toMatchObject({
    orderId: order.id,
    version: 1n,
    customerId: order.customerId,
    items: order.items,
    total: order.total,
    placedAt: order.createdAt,
  });
});

test("an order and its event are stored together or not at all", async () => {
  const items = [{ productId: await market.stocked(1), quantity: 1 }];
  const customer = market.customer();
  const orders = await count("select count(*) from orders");
  await market.orders.query("alter table outbox add constraint no_events check (false) not valid");
  try {
    expect((await refusal(customer.place(items))).code).toBe(Code.Internal);
  } finally {
    await market.orders.query("alter table outbox drop constraint no_events");
  }
  expect(await count("select count(*) from orders")).toBe(orders);
  await customer.place(items);
});

test("the price is that of the moment of the order", async () => {
  const productId = await market.stocked(5);
  const customer = market.customer();
  const before = await customer.place([{ productId, quantity: 1 }]);
  const admin = market.served.client(ProductService, { user: { id: uuidv7(), roles: ["admin"] } });
  await admin.updateProduct({ productId, price: { ...price, units: 20n } });
  expect((await customer.place([{ productId, quantity: 1 }])).total?.units).toBe(20n);
  expect((await customer.client.getOrder({ orderId: before.id })).total).toEqual(before.total);
});

test("a product may be named in capitals", async () => {
  const productId = await market.stocked(3);
  const customer = market.customer();
  const order = await customer.place([{ productId: productId.toUpperCase(), quantity: 1 }]);
  expect(order.items).toMatchObject([{ productId, quantity: 1 }]);
  await customer.reached(order.id, Order_Status.CONFIRMED);
  expect(await market.stockOf(productId)).toEqual({ available: 2, reserved: 0, sold: 1 });
});

test("products that are not in the catalogue are named, and nothing is stored", async () => {
  const orders = await count("select count(*) from orders");
  const unknown = [
    { productId: uuidv7(), quantity: 1 },
    { productId: await market.stocked(1), quantity: 1 },
    { productId: uuidv7(), quantity: 1 },
  ];
  expect(await refusal(market.customer().place(unknown))).toEqual({
    code: Code.InvalidArgument,
    reason: "PRODUCT_UNKNOWN",
    fields: ["items[0].product_id", "items[2].product_id"],
  });
  expect(await count("select count(*) from orders")).toBe(orders);
});

test("the same key gives the same order, however many calls come at once", async () => {
  const productId = await market.stocked(10);
  const customer = market.customer();
  const items = [{ productId, quantity: 1 }];
  const orders = await Promise.all(Array.from({ length: 8 }, () => customer.place(items, { key: "again" })));
  const [order] = orders;
  expect(new Set(orders.map(({ id }) => id))).toEqual(new Set([order?.id]));
  await customer.reached(order?.id ?? "", Order_Status.CONFIRMED);
  expect((await customer.place(items, { key: "again" })).id).toBe(order?.id);
  expect(await market.stockOf(productId)).toEqual({ available: 9, reserved: 0, sold: 1 });
  expect(await market.ledger(order?.id ?? "")).toEqual({ charges: 1, refunds: 0 });
  expect((await customer.client.listOrders({})).orders).toHaveLength(1);
});

test("the same key with another body is refused, and changes nothing", async () => {
  const productId = await market.stocked(10);
  const customer = market.customer();
  await customer.place([{ productId, quantity: 1 }], { key: "mine" });
  const others = [{ quantity: 2 }, { quantity: 1, paymentToken: "tok_flaky" }];
  for (const { quantity, paymentToken } of others) {
    const call = customer.place([{ productId, quantity }], { key: "mine", paymentToken });
    expect(await refusal(call)).toEqual({
      code: Code.InvalidArgument,
      reason: "IDEMPOTENCY_KEY_REUSED",
      fields: ["Idempotency-Key"],
    });
  }
  expect((await customer.client.listOrders({})).orders).toHaveLength(1);
});

test("another customer's key is their own", async () => {
  const items = [{ productId: await market.stocked(10), quantity: 1 }];
  const [ann, bob] = [market.customer(), market.customer()];
  const hers = await ann.place(items, { key: "first" });
  const his = await bob.place(items, { key: "first" });
  expect(his.id).not.toBe(hers.id);
  expect(his.customerId).not.toBe(hers.customerId);
});

test("a refusal is not kept: the key may be used again", async () => {
  const customer = market.customer();
  await refusal(customer.place([{ productId: uuidv7(), quantity: 1 }], { key: "retry" }));
  const items = [{ productId: await market.stocked(1), quantity: 1 }];
  expect((await customer.place(items, { key: "retry" })).status).toBe(Order_Status.PENDING);
});

const line = (quantity = 1) => ({ productId: uuidv7(), quantity });
const twice = uuidv7();

test.each([
  ["no items", [], "items"],
  ["51 items", Array.from({ length: 51 }, () => line()), "items"],
  ["a product named twice", [twice, twice].map((productId) => ({ productId, quantity: 1 })), "items"],
  ["no pieces", [line(), line(0)], "items[1].quantity"],
  ["fewer than no pieces", [line(-1)], "items[0].quantity"],
  ["more than 10,000 pieces", [line(10_001)], "items[0].quantity"],
  ["a product without an id", [{ productId: "", quantity: 1 }], "items[0].product_id"],
])("%s: refused with the field", async (_what, items, field) => {
  expect(await refusal(market.customer().place(items))).toEqual({
    code: Code.InvalidArgument,
    reason: "REQUEST_INVALID",
    fields: [field],
  });
});

test("a malformed payment token is refused with the field, and not repeated in the error", async () => {
  const call = market.customer().place([line()], { paymentToken: "4111 1111 1111 1111" });
  const message = await call.catch((error: Error) => error.message);
  expect(message).not.toContain("4111");
  expect((await refusal(call)).fields).toEqual(["payment_token"]);
});

test.each([
  ["missing", "", "IDEMPOTENCY_KEY_MISSING"],
  ["too long", "k".repeat(256), "IDEMPOTENCY_KEY_INVALID"],
])("a key that is %s is refused", async (_what, key, reason) => {
  expect(await refusal(market.customer().place([line()], { key }))).toEqual({
    code: Code.InvalidArgument,
    reason,
    fields: ["Idempotency-Key"],
  });
});

test("only customers order: an admin and nobody may not", async () => {
  const key = { headers: { "Idempotency-Key": "k" } };
  const request = { items: [line()], paymentToken: "tok_visa" };
  expect(await refusal(market.asAdmin().placeOrder(request, key))).toMatchObject({
    code: Code.PermissionDenied,
  });
});

test("the payment token is forgotten once it has been used", async () => {
  const customer = market.customer();
  const { id } = await customer.place([{ productId: await market.stocked(1), quantity: 1 }]);
  await customer.reached(id, Order_Status.CONFIRMED);
  const sql = "select count(*) from orders where id = $1 and orders::text like '%tok\\_%'";
  expect(await count(sql, [id])).toBe(0);
});
