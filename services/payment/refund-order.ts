import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { providerSignal } from "./ask-provider.ts";
import { type PaymentParts, settle } from "./settle-payment.ts";
import { insertPayment, lockPayment, type Payment, updatePayment } from "./storage.ts";

/**
 * Makes sure that an order costs the customer nothing. A repeat changes nothing.
 * @throws ServiceError PROVIDER_UNAVAILABLE when the provider did not answer; the request stands, and the
 *   worker goes on with it
 */
export async function refundOrder(
  parts: PaymentParts,
  order: { orderId: string; customerId: string },
): Promise<Payment> {
  const payment = await requestRefund(parts, order);
  return settle(parts, payment, providerSignal(parts.settings.providerTimeoutMs));
}

/** From the commit of this on, no charge of the order starts any more. */
function requestRefund(
  { orm, settings }: PaymentParts,
  { orderId, customerId }: { orderId: string; customerId: string },
): Promise<Payment> {
  return inTransaction(orm, async (tx) => {
    const now = new Date();
    const payment = await lockPayment(tx, orderId);
    if (!payment) {
      return insertPayment(tx, {
        orderId,
        customerId,
        commandId: null,
        status: "VOIDED",
        currencyCode: null,
        units: null,
        nanos: null,
        declineCode: "",
        refundRequested: true,
        askedAt: null,
        nextCheckAt: null,
        createdAt: now,
        updatedAt: now,
      });
    }
    if (payment.refundRequested) return payment;
    payment.refundRequested = true;
    if (payment.status === "CHARGED" || payment.status === "PENDING") {
      payment.nextCheckAt = new Date(now.getTime() + settings.checkAfterMs);
    }
    return updatePayment(tx, payment);
  });
}
