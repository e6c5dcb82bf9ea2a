/** Events that email consumes: decode, call a use case. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Money } from "#gen/google/type/money_pb.ts";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import {
  type OrderCancelled,
  OrderCancelledSchema,
  type OrderConfirmed,
  OrderConfirmedSchema,
  OrderPlacedSchema,
} from "#gen/shop/order/v1/events_pb.ts";
import { Order_CancelReason } from "#gen/shop/order/v1/order_pb.ts";
import { type EventContext, type EventHandler, on } from "#mesh/runtime/events/consumers.ts";
import type { MailKind, OrderSummary, Sum } from "./mail.ts";
import { queueMail } from "./queue-mail.ts";
import { rememberOrder } from "./remember-order.ts";
import { rememberRecipient } from "./remember-recipient.ts";

export function emailEvents(): EventHandler[] {
  return [
    on(UserRegisteredSchema, ({ userId, email, displayName }, { em }) =>
      rememberRecipient(em, { userId, address: email, displayName }),
    ),
    on(OrderPlacedSchema, ({ orderId, placedAt }, { em, time }) =>
      rememberOrder(em, { orderId, placedAt: dateOf(placedAt, time) }),
    ),
    on(OrderConfirmedSchema, (event, context) =>
      queue("ORDER_CONFIRMATION", event, context, event.confirmedAt, ""),
    ),
    on(OrderCancelledSchema, (event, context) =>
      queue("ORDER_CANCELLATION", event, context, event.cancelledAt, reasons[event.reason] ?? ""),
    ),
  ];
}

const reasons: Partial<Record<Order_CancelReason, string>> = {
  [Order_CancelReason.REQUESTED]: "as you asked",
  [Order_CancelReason.OUT_OF_STOCK]: "there are not enough pieces in stock",
  [Order_CancelReason.PAYMENT_DECLINED]: "the payment was declined",
  [Order_CancelReason.TIMED_OUT]: "it could not be completed in time",
};

function queue(
  kind: MailKind,
  event: OrderConfirmed | OrderCancelled,
  { em, id, time }: EventContext,
  occurredAt: Timestamp | undefined,
  reason: string,
): Promise<void> {
  const { orderId, version, customerId } = event;
  return queueMail(em, {
    eventId: id,
    kind,
    orderId,
    orderVersion: version,
    customerId,
    order: summaryOf(event, reason),
    occurredAt: dateOf(occurredAt, time),
  });
}

function summaryOf({ items, total }: OrderConfirmed | OrderCancelled, reason: string): OrderSummary {
  return {
    items: items.map(({ productName, quantity, unitPrice }) => ({
      productName,
      quantity,
      unitPrice: sumOf(unitPrice),
    })),
    total: sumOf(total),
    reason,
  };
}

function sumOf(money: Money | undefined): Sum {
  return {
    currencyCode: money?.currencyCode ?? "",
    units: String(money?.units ?? 0n),
    nanos: money?.nanos ?? 0,
  };
}

function dateOf(timestamp: Timestamp | undefined, fallback: Date): Date {
  return timestamp ? timestampDate(timestamp) : fallback;
}
