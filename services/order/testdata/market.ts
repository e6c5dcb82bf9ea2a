/** order that serves, for tests, with the real product, inventory and payment behind it and their books open. */
import { randomUUID } from "node:crypto";
import type { Client } from "@connectrpc/connect";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { expect, vi } from "vitest";
import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { type Order, type Order_Status, OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import { gated } from "../../../test/system/gate.ts";
import { serve, type TestUser } from "../../../test/system/serve.ts";
import { inventory } from "../../inventory/service.ts";
import { payment } from "../../payment/service.ts";
import { product } from "../../product/service.ts";
import { order } from "../service.ts";

export const soon = { timeout: 60_000, interval: 20 };

/** 12.90 USD, the price of everything here. */
export const price = { currencyCode: "USD", units: 12n, nanos: 900_000_000 };

export type Market = Awaited<ReturnType<typeof startMarket>>;
type OrderClient = Client<typeof OrderService>;

export async function startMarket() {
  const orderIdOf = ({ orderId }: { orderId: string }) => orderId;
  const stock = gated(inventory, orderIdOf);
  const money = gated(payment, ({ orderId, commandId = "" }: { orderId?: string; commandId?: string }) =>
    orderId ? orderId : (commandId.split(":", 1)[0] as string),
  );
  const served = await serve([product, stock.definition, money.definition, order], {
    env: { PAYMENT_CHECK_AFTER_MS: "60000" },
  });
  const connected = async (service: string) => {
    const client = new pg.Client({ connectionString: served.database(service) });
    await client.connect();
    return client;
  };
  const [orders, payments] = await Promise.all([connected("order"), connected("payment")]);
  const admin = { id: uuidv7(), roles: ["admin"] };

  return {
    served,
    /** Gates before inventory and payment. */
    stock,
    money,
    /** Connection to order's database. */
    orders,
    asAdmin: () => served.client(OrderService, { user: admin }),
    /** Somebody who is not signed in. */
    anybody: () => served.client(OrderService),
    /** A customer, a new one unless told; calls the replica that was started last. */
    customer: (user = newCustomer()) => customerOf(served.client(OrderService, { user }), user),
    /** A new product with so many pieces in stock. @returns its id */
    async stocked(available: number): Promise<string> {
      const fields = { name: "House Espresso", description: "", category: "coffee", price };
      const { id } = await served.client(ProductService, { user: admin }).createProduct(fields);
      await served.client(InventoryService, { user: admin }).adjustStock({ productId: id, delta: available });
      return id;
    },
    async stockOf(productId: string) {
      const { available, reserved, sold } = await served
        .client(InventoryService, { user: admin })
        .getStock({ productId });
      return { available, reserved, sold };
    },
    /** Charges and refunds of an order at the provider: the truth about money. */
    async ledger(orderId: string) {
      const count = async (sql: string) =>
        Number((await payments.query(sql, [`${orderId}:charge`])).rows[0].count);
      return {
        charges: await count("select count(*) from provider_charges where key = $1 and outcome = 'charged'"),
        refunds: await count("select count(*) from provider_refunds where charge_key = $1"),
      };
    },
    /** Events of an order in its outbox, by name, in order. */
    async eventsOf(orderId: string): Promise<string[]> {
      const sql = "select type from outbox where key = $1 order by position";
      const { rows } = await orders.query<{ type: string }>(sql, [orderId]);
      return rows.map(({ type }) => type.replace("shop.order.v1.", ""));
    },
    /** Commands that came to inventory and payment for an order, in order within each. */
    commandsOf(orderId: string): string[] {
      return [...stock.calls, ...money.calls]
        .filter((call) => call.endsWith(` ${orderId}`))
        .map((call) => call.split(" ", 1)[0] as string);
    },
    async stop() {
      await Promise.all([orders.end(), payments.end()]);
      await served.stop();
    },
  };
}

function newCustomer(): TestUser {
  return { id: uuidv7(), roles: ["customer"] };
}

/** What a customer does, in the words of the tests. */
function customerOf(client: OrderClient, user: TestUser) {
  return {
    user,
    client,
    /** Places an order, with a new key unless told. */
    place: (
      items: { productId: string; quantity: number }[],
      { paymentToken = "tok_visa", key = randomUUID() as string } = {},
    ): Promise<Order> => client.placeOrder({ items, paymentToken }, { headers: { "Idempotency-Key": key } }),
    /** The order once it has this status. */
    reached: (orderId: string, status: Order_Status): Promise<Order> =>
      vi.waitFor(async () => {
        const order = await client.getOrder({ orderId });
        expect(order.status).toBe(status);
        return order;
      }, soon),
  };
}
