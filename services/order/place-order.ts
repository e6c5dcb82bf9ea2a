import { Code } from "@connectrpc/connect";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { contextFromHeaders, currentContext, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import { recordStatus } from "./events.ts";
import type { Money } from "./money.ts";
import { type OrderItem, stepTimeoutMs, totalOf } from "./order.ts";
import { insertOrder, type Order } from "./storage.ts";
import { addToTimeline, doneAt } from "./timeline.ts";

/** What a customer asks for. */
export interface PlaceOrder {
  readonly customerId: string;
  readonly items: readonly { productId: string; quantity: number }[];
  readonly paymentToken: string;
}

/** Names and prices of those of the products that exist, by id. */
export type PriceList = (productIds: string[]) => Promise<Map<string, { name: string; price: Money }>>;

/** Called with the order as it will be answered, in the transaction that stores it. */
export type KeepReply = (tx: EntityManager, placed: Order) => Promise<void>;

/**
 * Stores an order, its event and the reply to its customer in one transaction: none exists alone.
 *
 * @throws ServiceError PRODUCT_UNKNOWN, naming the items; what `keepReply` throws
 */
export async function placeOrder(
  orm: MikroORM,
  priceList: PriceList,
  request: PlaceOrder,
  keepReply: KeepReply,
): Promise<Order> {
  const items = await priced(request.items, priceList);
  return inTransaction(orm, async (tx) => {
    const now = new Date();
    const context = currentContext() ?? contextFromHeaders({});
    const order: Order = {
      id: uuidv7(),
      customerId: request.customerId,
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
    };
    await insertOrder(tx, order);
    await addToTimeline(tx, order.id, [doneAt("PLACE", now)]);
    await keepReply(tx, order);
    recordStatus(tx, order);
    return order;
  });
}

async function priced(
  asked: PlaceOrder["items"],
  priceList: PriceList,
): Promise<[OrderItem, ...OrderItem[]]> {
  // Ids are the same in capitals (RFC 9562, section 4); the catalogue answers in small letters.
  const wanted = asked.map(({ productId, quantity }) => ({ productId: productId.toLowerCase(), quantity }));
  const products = await priceList(wanted.map(({ productId }) => productId));
  const unknown = wanted.flatMap(({ productId }, index) =>
    products.has(productId) ? [] : [{ field: `items[${index}].product_id`, description: "no such product" }],
  );
  if (unknown.length > 0) {
    throw new ServiceError(Code.InvalidArgument, "PRODUCT_UNKNOWN", "a product is not in the catalogue", {
      fields: unknown,
    });
  }
  return wanted.map(({ productId, quantity }) => {
    const product = products.get(productId) as { name: string; price: Money };
    return { productId, productName: product.name, quantity, unitPrice: product.price };
  }) as [OrderItem, ...OrderItem[]];
}
