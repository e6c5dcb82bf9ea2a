import type { MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "#mesh/runtime/failpoint.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { askProvider } from "./ask-provider.ts";
import { isOpen, learn, learnRefund, owesRefund } from "./payment.ts";
import type { ChargeOutcome, PaymentProvider } from "./provider.ts";
import type { PaymentSettings } from "./settings.ts";
import { lockPayment, type Payment, updatePayment } from "./storage.ts";

/** What the use cases of payment work with. */
export interface PaymentParts {
  readonly orm: MikroORM;
  readonly provider: PaymentProvider;
  readonly settings: PaymentSettings;
}

/**
 * Takes a payment as far as it can go: learns the outcome of its charge from the provider, and gives the
 * money back where a refund is requested. Any number may work on one payment at once.
 * @throws ServiceError PROVIDER_UNAVAILABLE
 */
export async function settle(parts: PaymentParts, payment: Payment, signal: AbortSignal): Promise<Payment> {
  const { provider } = parts;
  const { orderId, commandId: key } = payment;
  let current = payment;
  if (key && isOpen(current)) {
    const outcome = await askProvider(signal, (s) => provider.find(key, s));
    current = await recordOutcome(parts, orderId, outcome);
  }
  if (key && owesRefund(current)) {
    failpoint("refund.ask.before");
    await askProvider(signal, (s) => provider.refund({ key: `${key}:refund`, chargeKey: key }, s));
    failpoint("refund.ask.after");
    current = await change(parts.orm, orderId, (row) => learnRefund(row, new Date()));
  }
  return current;
}

/** Stores what the provider said of a charge; undefined: it does not know the key. */
export function recordOutcome(
  { orm, settings: { checkAfterMs } }: PaymentParts,
  orderId: string,
  outcome: ChargeOutcome | undefined,
): Promise<Payment> {
  return change(orm, orderId, (row) => learn(row, outcome, { now: new Date(), checkAfterMs }));
}

function change(orm: MikroORM, orderId: string, apply: (row: Payment) => void): Promise<Payment> {
  return inTransaction(orm, async (tx) => {
    const row = await lockPayment(tx, orderId);
    if (!row) throw new Error(`the payment of order ${orderId} is gone`);
    apply(row);
    return updatePayment(tx, row);
  });
}
