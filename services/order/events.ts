/** Events that order emits, each recorded in the transaction that makes it true. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { EntityManager } from "@mikro-orm/postgresql";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderPlacedSchema,
} from "#gen/shop/order/v1/events_pb.ts";
import { recordEvent } from "#mesh/runtime/events/outbox.ts";
import { cancelReasonOf, itemMessage, moneyMessage } from "./messages.ts";
import type { Order } from "./storage.ts";

/** Events this service records. */
export const emitted = [OrderPlacedSchema, OrderConfirmedSchema, OrderCancelledSchema];

/** Records what an order's present status means to others; most statuses mean nothing to them. */
export function recordStatus(tx: EntityManager, order: Order): void {
  const facts = {
    orderId: order.id,
    version: order.version,
    customerId: order.customerId,
    items: order.items.map(itemMessage),
    total: moneyMessage(order.total),
  };
  const at = timestampFromDate(order.updatedAt);
  if (order.status === "PENDING") recordEvent(tx, OrderPlacedSchema, { ...facts, placedAt: at });
  if (order.status === "CONFIRMED") recordEvent(tx, OrderConfirmedSchema, { ...facts, confirmedAt: at });
  if (order.status === "CANCELLED") {
    recordEvent(tx, OrderCancelledSchema, { ...facts, reason: cancelReasonOf(order), cancelledAt: at });
  }
}
