import { pollingWorker } from "#mesh/runtime/polling-worker.ts";
import type { Worker } from "#mesh/runtime/service.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { type PaymentParts, settle } from "./settle-payment.ts";
import { PaymentRow } from "./storage.ts";

const longestPollMs = 1_000;
const batchSize = 20;
/** A replica that took payments to check and died leaves them to others after so many milliseconds. */
const claimMs = 30_000;

/**
 * A worker that asks the provider about payments whose outcome nobody waits for any more: a process died
 * between the provider and its own commit, an answer never came, a voided charge may still turn up.
 */
export function paymentWatch(parts: PaymentParts, log: Logger): Worker {
  const pollMs = Math.min(longestPollMs, parts.settings.checkAfterMs);
  return pollingWorker({
    round: async (signal) => {
      await checkDuePayments(parts, log, signal);
      return false;
    },
    pollMs,
    pauseAfterErrorMs: pollMs,
    onError: (error) => log.warn({ err: error }, "payments cannot be checked now"),
  });
}

/** Settles the payments that are due, a batch at most; stops between two when `signal` is aborted. */
export async function checkDuePayments(parts: PaymentParts, log: Logger, signal: AbortSignal): Promise<void> {
  for (const orderId of await claim(parts)) {
    if (signal.aborted) return;
    try {
      const payment = await parts.orm.em.fork().findOneOrFail(PaymentRow, { orderId });
      const timeout = AbortSignal.timeout(parts.settings.providerTimeoutMs);
      const { status } = await settle(parts, payment, timeout);
      if (status !== payment.status)
        log.info({ orderId, from: payment.status, to: status }, "payment settled");
    } catch (error) {
      log.warn({ orderId, err: error }, "a payment cannot be settled yet");
    }
  }
}

async function claim({ orm }: PaymentParts): Promise<string[]> {
  const now = new Date();
  const rows = await orm.em.fork().execute<{ order_id: string }[]>(
    `update payments set next_check_at = ?
     where order_id in (
       select order_id from payments where next_check_at <= ?
       order by next_check_at limit ? for update skip locked)
     returning order_id`,
    [new Date(now.getTime() + claimMs), now, batchSize],
  );
  return rows.map(({ order_id }) => order_id);
}
