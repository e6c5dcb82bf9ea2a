/** Handlers of OrderService: translate, call, translate. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { answerOnce } from "#mesh/runtime/idempotency/answer-once.ts";
import { requirePrincipal } from "#mesh/runtime/identity/principal.ts";
import { cancelOrder, maySee, orderNotFound } from "./cancel-order.ts";
import type { Checkout } from "./checkout.ts";
import { listOrders } from "./list-orders.ts";
import { orderMessage, stepMessage } from "./messages.ts";
import type { OrderChanges } from "./order-changes.ts";
import { type PriceList, placeOrder } from "./place-order.ts";
import { readTimeline } from "./read-timeline.ts";
import { findOrder } from "./storage.ts";
import { watchOrder } from "./watch-order.ts";

export function orderRpc(
  orm: MikroORM,
  priceList: PriceList,
  checkout: Checkout,
  changes: OrderChanges,
): ServiceImpl<typeof OrderService> {
  return {
    placeOrder: answerOnce(
      OrderService.method.placeOrder,
      orm,
      async ({ items, paymentToken }, context, keepReply) => {
        const customerId = requirePrincipal(context).id;
        const wanted = items.map(({ productId, quantity }) => ({ productId, quantity }));
        await placeOrder(orm, priceList, { customerId, items: wanted, paymentToken }, (tx, order) =>
          keepReply(tx, orderMessage(order)),
        );
        checkout.wake();
      },
    ),
    async listOrders({ pageSize, pageToken }, context) {
      const customerId = requirePrincipal(context).id;
      const { orders, nextPageToken } = await listOrders(orm, { customerId, pageSize, pageToken });
      return { orders: orders.map(orderMessage), nextPageToken };
    },
    async getOrder({ orderId }, context) {
      const order = await findOrder(orm, orderId);
      if (!order || !maySee(order, requirePrincipal(context))) throw orderNotFound();
      return orderMessage(order);
    },
    async getOrderTimeline({ orderId }, context) {
      const { order, steps } = await readTimeline(orm, orderId, requirePrincipal(context));
      return { orderId: order.id, customerId: order.customerId, steps: steps.map(stepMessage) };
    },
    async cancelOrder({ orderId }, context) {
      const order = await cancelOrder(orm, orderId, requirePrincipal(context));
      changes.announce(order);
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
