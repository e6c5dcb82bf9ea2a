/** Handlers of OrderService: translate, call, translate. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { requireIdempotencyKey, requirePrincipal } from "#mesh/runtime/identity/principal.ts";
import { cancelOrder, maySee, orderNotFound } from "./cancel-order.ts";
import type { Checkout } from "./checkout.ts";
import { listOrders } from "./list-orders.ts";
import { orderMessage } from "./messages.ts";
import type { OrderChanges } from "./order-changes.ts";
import { type PriceList, placeOrder } from "./place-order.ts";
import { OrderRow } from "./storage.ts";
import { watchOrder } from "./watch-order.ts";

export function orderRpc(
  orm: MikroORM,
  priceList: PriceList,
  checkout: Checkout,
  changes: OrderChanges,
): ServiceImpl<typeof OrderService> {
  return {
    async placeOrder({ items, paymentToken }, context) {
      const order = await placeOrder(orm, priceList, {
        customerId: requirePrincipal(context).id,
        idempotencyKey: requireIdempotencyKey(context),
        items: items.map(({ productId, quantity }) => ({ productId, quantity })),
        paymentToken,
      });
      checkout.wake();
      return orderMessage(order);
    },
    async listOrders({ pageSize, pageToken }, context) {
      const customerId = requirePrincipal(context).id;
      const { orders, nextPageToken } = await listOrders(orm, { customerId, pageSize, pageToken });
      return { orders: orders.map(orderMessage), nextPageToken };
    },
    async getOrder({ orderId }, context) {
      const order = await orm.em.fork().findOne(OrderRow, { id: orderId });
      if (!order || !maySee(order, requirePrincipal(context))) throw orderNotFound();
      return orderMessage(order);
    },
    async cancelOrder({ orderId }, context) {
      const order = await cancelOrder(orm, orderId, requirePrincipal(context));
      changes.announce(order.id);
      checkout.wake();
      return orderMessage(order);
    },
    async *watchOrder({ orderId }, context) {
      for await (const order of watchOrder(
        orm,
        changes,
        orderId,
        requirePrincipal(context),
        context.signal,
      )) {
        yield orderMessage(order);
      }
    },
  };
}
