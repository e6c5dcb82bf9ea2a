import type { MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "#mesh/runtime/failpoint.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { askProvider, providerSignal } from "./ask-provider.ts";
import { type ChargeCommand, checkCommand, checkNotVoided, mismatch } from "./payment.ts";
import { type PaymentParts, recordOutcome, settle } from "./settle-payment.ts";
import { insertPayment, lockPayments, type Payment, updatePayment } from "./storage.ts";

/**
 * Charges an order. A repeat answers what the first call did; when that is not known, it asks the provider
 * by key. However many run at once, the provider charges once: the command id is its key.
 *
 * @param token the provider's token; goes to the provider and nowhere else
 * @throws ServiceError PROVIDER_UNAVAILABLE when the outcome is not known, COMMAND_MISMATCH, PAYMENT_VOIDED
 */
export async function chargeOrder(
  parts: PaymentParts,
  command: ChargeCommand,
  token: string,
): Promise<Payment> {
  const { orm, provider, settings } = parts;
  const { payment, repeated } = await openCharge(orm, command, settings.checkAfterMs);
  if (payment.status !== "PENDING") return payment;

  const signal = providerSignal(settings.providerTimeoutMs);
  const { commandId: key, amount } = command;
  const known = repeated ? await askProvider(signal, (s) => provider.find(key, s)) : undefined;
  failpoint("charge.ask.before");
  const outcome = known ?? (await askProvider(signal, (s) => provider.charge({ key, amount, token }, s)));
  failpoint("charge.ask.after");
  const charged = await recordOutcome(parts, command.orderId, outcome);
  if (charged.refundRequested) {
    // A refund came while the provider was busy, and may have found nothing to refund.
    await settle(parts, charged, signal);
    checkNotVoided(charged);
  }
  return charged;
}

/** Puts the charge on record, or finds it there. Committed before the provider hears of it. */
async function openCharge(
  orm: MikroORM,
  command: ChargeCommand,
  checkAfterMs: number,
): Promise<{ payment: Payment; repeated: boolean }> {
  const { commandId, orderId, customerId, amount } = command;
  return inTransaction(orm, async (tx) => {
    const now = new Date();
    const nextCheckAt = new Date(now.getTime() + checkAfterMs);
    const { ofOrder: payment, ofCommand } = await lockPayments(tx, { orderId, commandId });
    if (payment) {
      checkCommand(payment, command);
      checkNotVoided(payment);
      if (payment.status === "PENDING")
        await updatePayment(tx, Object.assign(payment, { askedAt: now, nextCheckAt }));
      return { payment, repeated: true };
    }
    if (ofCommand) throw mismatch("order_id", "the command_id was used for another order");
    const opened = await insertPayment(tx, {
      orderId,
      customerId,
      commandId,
      status: "PENDING",
      currencyCode: amount.currencyCode,
      units: amount.units,
      nanos: amount.nanos,
      declineCode: "",
      refundRequested: false,
      askedAt: now,
      nextCheckAt,
      createdAt: now,
      updatedAt: now,
    });
    return { payment: opened, repeated: false };
  });
}
