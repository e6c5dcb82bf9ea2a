import { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { OrderService } from "#gen/shop/order/v1/order_pb.ts";
import { PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { ProductService } from "#gen/shop/product/v1/product_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { createCheckout } from "./checkout.ts";
import { createCheckoutMetrics } from "./checkout-metrics.ts";
import { emitted } from "./events.ts";
import { createOrderChanges } from "./order-changes.ts";
import { priceListFrom } from "./price-list.ts";
import { orderRpc } from "./rpc.ts";
import { storage } from "./storage.ts";

export const order: ServiceDefinition = {
  contract: OrderService,
  storage,
  emits: emitted,
  compose: ({ orm, clients, log, meter, tracer }) => {
    const changes = createOrderChanges();
    const upstreams = { inventory: clients(InventoryService), payment: clients(PaymentService) };
    const checkout = createCheckout(orm, upstreams, changes, createCheckoutMetrics(meter, orm), log, tracer);
    const priceList = priceListFrom(clients(ProductService));
    return {
      routes: (router) => router.service(OrderService, orderRpc(orm, priceList, checkout, changes)),
      workers: [checkout],
    };
  },
};
