import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StockChangedSchema } from "#gen/shop/inventory/v1/events_pb.ts";
import { InventoryService, Reservation_Status } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { refusal } from "../../test/system/refusal.ts";
import { type Served, serve } from "../../test/system/serve.ts";
import { inventory } from "./service.ts";

let served: Served;
beforeAll(async () => {
  served = await serve([inventory]);
});
afterAll(() => served.stop());

const admin = { id: uuidv7(), roles: ["admin"] };
const customer = { id: uuidv7(), roles: ["customer"] };
const asAdmin = () => served.client(InventoryService, { user: admin });
const asOrder = () => served.client(InventoryService, { caller: "order" });

async function stocked(pieces: number): Promise<string> {
  const productId = uuidv7();
  await asAdmin().adjustStock({ productId, delta: pieces });
  return productId;
}

async function stockOf(productId: string) {
  const { available, reserved, sold } = await asAdmin().getStock({ productId });
  return { available, reserved, sold };
}

/** What inventory has said of a product, in this order. */
async function told(productId: string) {
  const database = new pg.Client({ connectionString: served.database("inventory") });
  await database.connect();
  try {
    const { rows } = await database.query("select payload from outbox where key = $1 order by position", [
      productId,
    ]);
    return rows.map(({ payload }) => {
      const { version, available } = fromBinary(StockChangedSchema, payload);
      return { version, available };
    });
  } finally {
    await database.end();
  }
}

test("a reservation moves pieces from available to reserved, a commit to sold", async () => {
  const productId = await stocked(10);
  const orderId = uuidv7();
  await asOrder().reserve({ orderId, items: [{ productId, quantity: 4 }] });
  expect(await stockOf(productId)).toEqual({ available: 6, reserved: 4, sold: 0 });
  await asOrder().commit({ orderId });
  expect(await stockOf(productId)).toEqual({ available: 6, reserved: 0, sold: 4 });
});

test("others are told when more or fewer pieces can be ordered, and not of a sale", async () => {
  const productId = await stocked(10);
  const [first, second] = [uuidv7(), uuidv7()];
  for (const orderId of [first, second])
    await asOrder().reserve({ orderId, items: [{ productId, quantity: 4 }] });
  await asOrder().commit({ orderId: first });
  await asOrder().release({ orderId: second });
  expect(await told(productId)).toEqual([
    { version: 1n, available: 10 },
    { version: 2n, available: 6 },
    { version: 3n, available: 2 },
    { version: 5n, available: 6 },
  ]);
});

test("repeating a command changes nothing", async () => {
  const productId = await stocked(10);
  const orderId = uuidv7();
  const items = [{ productId, quantity: 4 }];
  await Promise.all([1, 2, 3].map(() => asOrder().reserve({ orderId, items })));
  expect(await stockOf(productId)).toEqual({ available: 6, reserved: 4, sold: 0 });
  await asOrder().commit({ orderId });
  await asOrder().commit({ orderId });
  await asOrder().reserve({ orderId, items });
  expect(await stockOf(productId)).toEqual({ available: 6, reserved: 0, sold: 4 });
});

test("all lines are reserved or none", async () => {
  const plenty = await stocked(10);
  const scarce = await stocked(1);
  const items = [
    { productId: plenty, quantity: 2 },
    { productId: scarce, quantity: 2 },
  ];
  expect(await refusal(asOrder().reserve({ orderId: uuidv7(), items }))).toMatchObject({
    code: Code.FailedPrecondition,
    reason: "OUT_OF_STOCK",
  });
  expect(await stockOf(plenty)).toEqual({ available: 10, reserved: 0, sold: 0 });
});

test("a release puts back what was reserved or sold", async () => {
  const productId = await stocked(10);
  const [first, second] = [uuidv7(), uuidv7()];
  for (const orderId of [first, second])
    await asOrder().reserve({ orderId, items: [{ productId, quantity: 3 }] });
  await asOrder().commit({ orderId: second });
  for (const orderId of [first, second, second]) await asOrder().release({ orderId });
  expect(await stockOf(productId)).toEqual({ available: 10, reserved: 0, sold: 0 });
});

test("a reservation that arrives after the release is refused", async () => {
  const productId = await stocked(10);
  const orderId = uuidv7();
  expect((await asOrder().release({ orderId })).status).toBe(Reservation_Status.RELEASED);
  const released = { code: Code.FailedPrecondition, reason: "RESERVATION_RELEASED", fields: [] };
  expect(await refusal(asOrder().reserve({ orderId, items: [{ productId, quantity: 1 }] }))).toEqual(
    released,
  );
  expect(await refusal(asOrder().commit({ orderId }))).toEqual(released);
  expect(await stockOf(productId)).toEqual({ available: 10, reserved: 0, sold: 0 });
});

test("another reservation for the same order is refused, in whatever order its lines come", async () => {
  const [first, second] = [await stocked(10), await stocked(10)];
  const orderId = uuidv7();
  const line = (productId: string, quantity: number) => ({ productId, quantity });
  await asOrder().reserve({ orderId, items: [line(first, 1), line(second, 2)] });
  await asOrder().reserve({ orderId, items: [line(second, 2), line(first.toUpperCase(), 1)] });
  for (const items of [
    [line(first, 1)],
    [line(first, 2), line(second, 1)],
    [line(first, 1), line(uuidv7(), 2)],
  ])
    expect(await refusal(asOrder().reserve({ orderId, items }))).toEqual({
      code: Code.AlreadyExists,
      reason: "RESERVATION_DIFFERS",
      fields: [],
    });
  expect(await stockOf(first)).toEqual({ available: 9, reserved: 1, sold: 0 });
  expect(await stockOf(second)).toEqual({ available: 8, reserved: 2, sold: 0 });
});

test("ids are the same in capitals", async () => {
  const productId = await stocked(10);
  const capitals = productId.toUpperCase();
  const { available } = await asAdmin().adjustStock({ productId: capitals, delta: 1 });
  expect(available).toBe(11);
  await asOrder().reserve({ orderId: uuidv7(), items: [{ productId: capitals, quantity: 4 }] });
  expect(await stockOf(productId)).toEqual({ available: 7, reserved: 4, sold: 0 });
});

test("a commit without a reservation is refused", async () => {
  expect(await refusal(asOrder().commit({ orderId: uuidv7() }))).toEqual({
    code: Code.NotFound,
    reason: "RESERVATION_NOT_FOUND",
    fields: [],
  });
});

test("thirty buyers of ten pieces: exactly ten get one", async () => {
  const productId = await stocked(10);
  const tries = await Promise.allSettled(
    Array.from({ length: 30 }, () =>
      asOrder().reserve({ orderId: uuidv7(), items: [{ productId, quantity: 1 }] }),
    ),
  );
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  expect(await stockOf(productId)).toEqual({ available: 0, reserved: 10, sold: 0 });
});

test("only admins adjust stock, and only order reserves it", async () => {
  const productId = await stocked(1);
  const asCustomer = served.client(InventoryService, { user: customer });
  await expect(asCustomer.adjustStock({ productId, delta: 1 })).rejects.toMatchObject({
    code: Code.PermissionDenied,
  });
  await expect(served.client(InventoryService).adjustStock({ productId, delta: 1 })).rejects.toMatchObject({
    code: Code.Unauthenticated,
  });
  for (const caller of ["edge", "payment", "stranger"]) {
    const client = served.client(InventoryService, { caller, user: admin });
    await expect(
      client.reserve({ orderId: uuidv7(), items: [{ productId, quantity: 1 }] }),
    ).rejects.toMatchObject({
      code: Code.PermissionDenied,
    });
  }
});

test("a bad request names the field", async () => {
  await expect(asAdmin().getStock({ productId: "42" })).rejects.toMatchObject({
    code: Code.InvalidArgument,
    message: expect.stringContaining("product_id"),
  });
  expect(await refusal(asAdmin().getStock({ productId: uuidv7() }))).toEqual({
    code: Code.NotFound,
    reason: "STOCK_NOT_FOUND",
    fields: [],
  });
});
