/** Handlers of PaymentService: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Money } from "#gen/google/type/money_pb.ts";
import { Payment_Status, type PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { requirePrincipal } from "#mesh/runtime/identity/principal.ts";
import { chargeOrder } from "./charge-order.ts";
import { findCharge, findOrderPayment } from "./find-payment.ts";
import { refundOrder } from "./refund-order.ts";
import type { PaymentParts } from "./settle-payment.ts";
import type { Payment } from "./storage.ts";

export function paymentRpc(parts: PaymentParts): ServiceImpl<typeof PaymentService> {
  return {
    async charge({ commandId, orderId, customerId, amount, paymentToken }) {
      // The contract requires an amount.
      const { currencyCode, units, nanos } = amount as Money;
      const command = {
        commandId,
        orderId: orderId.toLowerCase(),
        customerId: customerId.toLowerCase(),
        amount: { currencyCode, units, nanos },
      };
      return paymentMessage(await chargeOrder(parts, command, paymentToken));
    },
    async refund({ orderId, customerId }) {
      return paymentMessage(await refundOrder(parts, { orderId: orderId.toLowerCase(), customerId }));
    },
    async getCharge({ commandId }) {
      return paymentMessage(await findCharge(parts, commandId));
    },
    async getOrderPayment({ orderId }, context) {
      const { id, roles } = requirePrincipal(context);
      const customerId = roles.includes("admin") ? undefined : id;
      return paymentMessage(await findOrderPayment(parts, orderId, customerId));
    },
  };
}

function paymentMessage(payment: Payment) {
  const { orderId, customerId, commandId, status, declineCode, currencyCode, units, nanos } = payment;
  return {
    orderId,
    customerId,
    status: Payment_Status[status],
    // A payment that was voided before anybody asked to charge has no amount.
    amount: commandId
      ? { currencyCode: currencyCode ?? "", units: units ?? 0n, nanos: nanos ?? 0 }
      : undefined,
    declineCode,
    createdAt: timestampFromDate(payment.createdAt),
    updatedAt: timestampFromDate(payment.updatedAt),
  };
}
