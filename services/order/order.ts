/** Rules of an order: its states, which may follow which, and how long a step may take. */
import { type Money, sum, times } from "./money.ts";

export type Status = "PENDING" | "RESERVED" | "PAID" | "CONFIRMED" | "COMPENSATING" | "CANCELLED";
export type CancelReason = "REQUESTED" | "OUT_OF_STOCK" | "PAYMENT_DECLINED" | "TIMED_OUT";

/** One product of an order, at the price of the moment it was placed. */
export interface OrderItem {
  readonly productId: string;
  readonly productName: string;
  readonly quantity: number;
  readonly unitPrice: Money;
}

/** What the checkout does next is decided by these. */
export interface OrderState {
  status: Status;
  cancelReason?: CancelReason | null;
  version: bigint;
  /** Failed tries of the current step. */
  attempts: number;
  /** When the checkout looks at the order again; null: never. */
  nextStepAt?: Date | null;
  /** When the current step is given up and the order is compensated; null: never. */
  stepDeadline?: Date | null;
  updatedAt: Date;
}

/** Time that a step forward may take with all its tries, in milliseconds. */
export const stepTimeoutMs = 30_000;

/** Time after that in which it is still asked what became of a charge, in milliseconds. */
export const queryTimeMs = 30_000;

/** Time after which a step whose process fell silent is taken over, in milliseconds. */
export const leaseMs = 15_000;

const successors: Record<Status, readonly Status[]> = {
  PENDING: ["RESERVED", "COMPENSATING"],
  RESERVED: ["PAID", "COMPENSATING"],
  PAID: ["CONFIRMED", "COMPENSATING"],
  CONFIRMED: ["COMPENSATING"],
  COMPENSATING: ["CANCELLED"],
  CANCELLED: [],
};

export function totalOf(items: readonly [OrderItem, ...OrderItem[]]): Money {
  const [first, ...rest] = items;
  return sum([
    times(first.unitPrice, first.quantity),
    ...rest.map((item) => times(item.unitPrice, item.quantity)),
  ]);
}

/** Whether nothing happens to the order any more by itself. */
export function isSettled(status: Status): boolean {
  return status === "CONFIRMED" || status === "CANCELLED";
}

/**
 * Moves an order on. A reason goes with COMPENSATING and stays.
 * @throws Error for a step that the state machine does not have
 */
export function moveTo(order: OrderState, status: Status, now: Date, reason?: CancelReason): void {
  if (!successors[order.status].includes(status))
    throw new Error(`an order cannot go from ${order.status} to ${status}`);
  if ((status === "COMPENSATING") !== (reason !== undefined))
    throw new Error("COMPENSATING, and only it, needs a reason");
  order.status = status;
  order.cancelReason = reason ?? order.cancelReason;
  order.version += 1n;
  order.attempts = 0;
  // The process that moved the order goes on with it; another takes over when the lease runs out.
  order.nextStepAt = isSettled(status) ? null : new Date(now.getTime() + leaseMs);
  // What was taken must be given back, however long that takes.
  order.stepDeadline =
    isSettled(status) || status === "COMPENSATING" ? null : new Date(now.getTime() + stepTimeoutMs);
  order.updatedAt = now;
}

/**
 * Wait before the next try of a step, in milliseconds: full jitter under a doubling cap, which is
 * higher for compensation, since that goes on for ever.
 * @param random in [0, 1)
 */
export function backoffMs(status: Status, attempts: number, random: number): number {
  const cap = status === "COMPENSATING" ? 15_000 : 3_000;
  return Math.round((0.5 + random / 2) * Math.min(cap, 100 * 2 ** Math.min(attempts, 10)));
}
