/** Rows as messages of the contract. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  Order_CancelReason,
  Order_Status,
  OrderTimeline_Step_Name,
  OrderTimeline_Step_Outcome,
} from "#gen/shop/order/v1/order_pb.ts";
import type { Money } from "./money.ts";
import type { OrderItem } from "./order.ts";
import type { Order, OrderStep } from "./storage.ts";

export function orderMessage(order: Order) {
  return {
    id: order.id,
    customerId: order.customerId,
    status: Order_Status[order.status],
    items: order.items.map(itemMessage),
    total: moneyMessage(order.total),
    cancelReason: cancelReasonOf(order),
    createdAt: timestampFromDate(order.createdAt),
    updatedAt: timestampFromDate(order.updatedAt),
  };
}

export function stepMessage({ step, attempt, outcome, reason, startedAt, endedAt }: OrderStep) {
  return {
    step: OrderTimeline_Step_Name[step],
    attempt,
    outcome: OrderTimeline_Step_Outcome[outcome],
    reason,
    startedAt: timestampFromDate(startedAt),
    endedAt: timestampFromDate(endedAt),
  };
}

export function itemMessage({ productId, productName, quantity, unitPrice }: OrderItem) {
  return { productId, productName, quantity, unitPrice: moneyMessage(unitPrice) };
}

export function moneyMessage({ currencyCode, units, nanos }: Money) {
  return { currencyCode, units: BigInt(units), nanos };
}

export function cancelReasonOf({ cancelReason }: Order): Order_CancelReason {
  return Order_CancelReason[cancelReason ?? "CANCEL_REASON_UNSPECIFIED"];
}
