import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { contextFromHeaders, currentContext, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import { recordStatus } from "./events.ts";
import type { Money } from "./money.ts";
import { type OrderItem, stepTimeoutMs, totalOf } from "./order.ts";
import { type Order, OrderRow } from "./storage.ts";

/** What a customer asks for. */
export interface PlaceOrder {
  readonly customerId: string;
  readonly idempotencyKey: string;
  readonly items: readonly { productId: string; quantity: number }[];
  readonly paymentToken: string;
}

/** Names and prices of those of the products that exist, by id. */
export type PriceList = (productIds: string[]) => Promise<Map<string, { name: string; price: Money }>>;

/**
 * Stores an order and its event in one transaction: neither exists alone. The same customer and key
 * give the same order, however many calls come at once; the unique constraint settles races.
 *
 * @throws ServiceError PRODUCT_UNKNOWN, naming the items; IDEMPOTENCY_KEY_REUSED for another request
 */
export async function placeOrder(orm: MikroORM, priceList: PriceList, request: PlaceOrder): Promise<Order> {
  const { customerId, idempotencyKey } = request;
  const requestHash = hashOf(request);
  const known = await orm.em.fork().findOne(OrderRow, { customerId, idempotencyKey });
  if (known) return sameRequest(known, requestHash);

  const items = await priced(request, priceList);
  return inTransaction(orm, async (tx) => {
    const placed = await tx.findOne(OrderRow, { customerId, idempotencyKey });
    if (placed) return sameRequest(placed, requestHash);
    const now = new Date();
    const context = currentContext() ?? contextFromHeaders({});
    const order = tx.create(OrderRow, {
      id: uuidv7(),
      customerId,
      idempotencyKey,
      requestHash,
      status: "PENDING",
      cancelReason: null,
      items,
      total: totalOf(items),
      paymentToken: request.paymentToken,
      version: 1n,
      attempts: 0,
      nextStepAt: now,
      stepDeadline: new Date(now.getTime() + stepTimeoutMs),
      requestId: context.requestId,
      traceparent: traceparentOf(context),
      createdAt: now,
      updatedAt: now,
    });
    recordStatus(tx, order);
    return order;
  });
}

async function priced(request: PlaceOrder, priceList: PriceList): Promise<[OrderItem, ...OrderItem[]]> {
  const products = await priceList(request.items.map(({ productId }) => productId));
  const unknown = request.items.flatMap(({ productId }, index) =>
    products.has(productId) ? [] : [{ field: `items[${index}].product_id`, description: "no such product" }],
  );
  if (unknown.length > 0) {
    throw new ServiceError(Code.InvalidArgument, "PRODUCT_UNKNOWN", "a product is not in the catalogue", {
      fields: unknown,
    });
  }
  return request.items.map(({ productId, quantity }) => {
    const product = products.get(productId) as { name: string; price: Money };
    return { productId, productName: product.name, quantity, unitPrice: product.price };
  }) as [OrderItem, ...OrderItem[]];
}

function hashOf({ items, paymentToken }: PlaceOrder): string {
  const lines = items.map(({ productId, quantity }) => [productId, quantity]);
  return createHash("sha256")
    .update(JSON.stringify([lines, paymentToken]))
    .digest("hex");
}

function sameRequest(order: Order, requestHash: string): Order {
  if (order.requestHash === requestHash) return order;
  throw new ServiceError(
    Code.InvalidArgument,
    "IDEMPOTENCY_KEY_REUSED",
    "the Idempotency-Key was used for another request",
    {
      fields: [{ field: "Idempotency-Key", description: "use a new value for a new order" }],
    },
  );
}
