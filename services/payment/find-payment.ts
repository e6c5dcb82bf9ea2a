import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { providerSignal } from "./ask-provider.ts";
import { paymentNotFound } from "./payment.ts";
import { type PaymentParts, settle } from "./settle-payment.ts";
import { type Payment, PaymentRow } from "./storage.ts";

/**
 * Outcome of a charge. While it is not known, the provider is asked first; when that does not answer, the
 * payment is PENDING.
 * @throws ServiceError PAYMENT_NOT_FOUND
 */
export async function findCharge(parts: PaymentParts, commandId: string): Promise<Payment> {
  const payment = await parts.orm.em.fork().findOne(PaymentRow, { commandId });
  if (!payment) throw paymentNotFound();
  // A reader moves no money: what a refund needs is the refund's and the worker's work.
  if (payment.status !== "PENDING" || payment.refundRequested) return payment;
  try {
    return await settle(parts, payment, providerSignal(parts.settings.providerTimeoutMs));
  } catch (error) {
    if (error instanceof ServiceError && error.reason === "PROVIDER_UNAVAILABLE") return payment;
    throw error;
  }
}

/**
 * Payment of an order.
 * @param customerId only when it is this customer's; undefined: anybody's
 * @throws ServiceError PAYMENT_NOT_FOUND, also for another customer's, so that ids cannot be probed
 */
export async function findOrderPayment(
  { orm }: PaymentParts,
  orderId: string,
  customerId: string | undefined,
): Promise<Payment> {
  const payment = await orm.em.fork().findOne(PaymentRow, { orderId });
  if (!payment || (customerId !== undefined && payment.customerId !== customerId)) throw paymentNotFound();
  return payment;
}
