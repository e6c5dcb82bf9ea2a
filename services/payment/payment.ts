/**
 * DESIGN
 *
 * The provider's ledger is the truth; the row of a payment is what we know of it. A row is written before the
 * provider is asked, and follows it afterwards. Two facts of a row decide everything: its status, and whether
 * the order wants its money back (`refundRequested`, never taken back).
 *
 *   PENDING ──charged──▶ CHARGED ──refund requested──▶ REFUNDED
 *      │                    ▲
 *      ├──declined──▶ DECLINED
 *      │                    │ charged after all
 *      └──refund requested, provider does not know the key──▶ VOIDED
 *
 * A refund that meets a charge under way: the request is committed first, so that no charge starts any more.
 * One that is already on its way to the provider may still land there, before or after the refund has looked.
 * Whoever learns of it then finds `refundRequested` in the row and gives the money back: the charge's own call
 * when it returns, or, when that died, the worker, which keeps asking about a VOIDED payment until
 * `voidedWatchMs` after the provider was last asked to charge. The refund's key follows from the charge's, so
 * any number of them refund once.
 */
import { Code } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import type { Amount, ChargeOutcome } from "./provider.ts";

export type PaymentStatus = "PENDING" | "CHARGED" | "DECLINED" | "REFUNDED" | "VOIDED";

/** What is known of the payment of an order. */
export interface PaymentState {
  readonly orderId: string;
  readonly customerId: string;
  /** Command that charges, and the provider's key; empty: nobody ever asked to charge. */
  readonly commandId?: string | null;
  readonly currencyCode?: string | null;
  readonly units?: bigint | null;
  readonly nanos?: number | null;
  status: PaymentStatus;
  declineCode: string;
  /** Whether the order must cost nothing. */
  refundRequested: boolean;
  /** When the provider was last asked to charge, or about to be. */
  askedAt?: Date | null;
  /** When to ask the provider what it knows; null: there is nothing left to learn. */
  nextCheckAt?: Date | null;
  updatedAt: Date;
}

/** A charge to make. */
export interface ChargeCommand {
  readonly commandId: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly amount: Amount;
}

/** For how long a charge that we gave up may still turn up at the provider. */
const voidedWatchMs = 10 * 60_000;
const longestPauseMs = 60 * 60_000;

/**
 * Refuses a command that is not the one on record.
 * @throws ServiceError COMMAND_MISMATCH, naming what differs
 */
export function checkCommand(payment: PaymentState, command: ChargeCommand): void {
  if (!payment.commandId) return;
  const { amount } = command;
  if (payment.commandId !== command.commandId)
    throw mismatch("command_id", "the order is charged under another command_id");
  if (payment.orderId !== command.orderId)
    throw mismatch("order_id", "the command_id was used for another order");
  if (payment.customerId !== command.customerId)
    throw mismatch("customer_id", "the command_id was used for another customer");
  if (
    payment.currencyCode !== amount.currencyCode ||
    payment.units !== amount.units ||
    payment.nanos !== amount.nanos
  )
    throw mismatch("amount", "the command_id was used for another sum");
}

/**
 * Refuses to charge an order that must cost nothing.
 * @throws ServiceError PAYMENT_VOIDED
 */
export function checkNotVoided({ status, refundRequested }: PaymentState): void {
  // A declined one cost nothing anyway, and its outcome stays what it was.
  if (refundRequested && status !== "DECLINED")
    throw new ServiceError(
      Code.FailedPrecondition,
      "PAYMENT_VOIDED",
      "the order was refunded or voided before",
    );
}

/**
 * Brings a payment into agreement with what the provider said of its key.
 * @param outcome undefined: the provider does not know the key
 * @param checkAfterMs first pause between two looks; it grows with the age of the charge
 */
export function learn(
  payment: PaymentState,
  outcome: ChargeOutcome | undefined,
  { now, checkAfterMs }: { now: Date; checkAfterMs: number },
): void {
  const { status } = payment;
  if (outcome?.outcome === "charged" && (status === "PENDING" || status === "VOIDED")) {
    become(payment, "CHARGED", now);
  } else if (outcome?.outcome === "declined" && status === "PENDING") {
    payment.declineCode = outcome.declineCode;
    become(payment, "DECLINED", now);
  } else if (!outcome && status === "PENDING" && payment.refundRequested) {
    become(payment, "VOIDED", now);
  }
  payment.nextCheckAt = nextCheck(payment, outcome !== undefined, now, checkAfterMs);
}

/** Notes that the provider has given the charge back. */
export function learnRefund(payment: PaymentState, now: Date): void {
  if (payment.status !== "CHARGED") return;
  become(payment, "REFUNDED", now);
  payment.nextCheckAt = null;
}

/** Whether the provider may know more about a payment than its row. */
export function isOpen({ commandId, status, nextCheckAt }: PaymentState): boolean {
  return Boolean(commandId) && (status === "PENDING" || (status === "VOIDED" && Boolean(nextCheckAt)));
}

/** Whether a payment has money to give back. */
export function owesRefund({ status, refundRequested }: PaymentState): boolean {
  return status === "CHARGED" && refundRequested;
}

function become(payment: PaymentState, status: PaymentStatus, now: Date): void {
  payment.status = status;
  payment.updatedAt = now;
}

function nextCheck(payment: PaymentState, known: boolean, now: Date, checkAfterMs: number): Date | null {
  const age = now.getTime() - (payment.askedAt ?? now).getTime();
  const pause = Math.min(longestPauseMs, Math.max(checkAfterMs, age));
  const later = new Date(now.getTime() + pause);
  switch (payment.status) {
    case "PENDING":
      return later;
    case "CHARGED":
      return payment.refundRequested ? later : null;
    case "VOIDED":
      return known || age > voidedWatchMs ? null : later;
    default:
      return null;
  }
}

export function mismatch(field: string, description: string): ServiceError {
  return new ServiceError(Code.InvalidArgument, "COMMAND_MISMATCH", description, {
    fields: [{ field, description }],
  });
}

/** The answer to an order or a command that no payment is known of. */
export function paymentNotFound(): ServiceError {
  return new ServiceError(Code.NotFound, "PAYMENT_NOT_FOUND", "no such payment");
}
