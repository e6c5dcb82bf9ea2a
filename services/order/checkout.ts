/**
 * The checkout saga: brings every order from PENDING to CONFIRMED or CANCELLED.
 *
 * All state is in the order's row. A worker claims due orders by pushing their `next_step_at` ahead (a
 * lease), runs one command after the other, and stores each outcome in a transaction that checks the
 * version. Whoever crashes, loses a race or gets no answer leaves a row that falls due again; commands
 * are idempotent, so running one twice does no harm.
 */
import { LockMode } from "@mikro-orm/core";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Worker } from "#mesh/runtime/service.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { contextFromHeaders, runInContext } from "#mesh/runtime/telemetry/context.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { type Outcome, steps, type Upstreams } from "./checkout-steps.ts";
import { recordStatus } from "./events.ts";
import { backoffMs, isSettled, leaseMs, moveTo } from "./order.ts";
import type { OrderChanges } from "./order-changes.ts";
import { lockOrder, type Order, OrderRow } from "./storage.ts";

/** Orders in hand at once, and the pause between looks for due ones, in milliseconds. */
const maxInHand = 24;
const pollMs = 250;

/** The worker, and a way to make it look at once. */
export interface Checkout extends Worker {
  wake(): void;
}

/** @param upstreams clients of the services it commands, each call under its method's policy */
export function createCheckout(
  orm: MikroORM,
  upstreams: Upstreams,
  changes: OrderChanges,
  log: Logger,
): Checkout {
  const inHand = new Set<Promise<void>>(); // an order may be here twice: one that is cancelled during a step
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let looking: Promise<void> | undefined;
  let again = false;

  const look = async (): Promise<void> => {
    do {
      again = false;
      for (const order of await claimDue(orm, maxInHand - inHand.size)) {
        const work = runInContext(contextFromHeaders(order), () => bringOn(order)).finally(() => {
          inHand.delete(work);
          checkout.wake();
        });
        inHand.add(work);
      }
    } while (again && !stopped && inHand.size < maxInHand);
  };

  const bringOn = async (claimed: Order): Promise<void> => {
    for (let order: Order | undefined = claimed; order && !isSettled(order.status) && !stopped; ) {
      order = await runStep(order);
    }
  };

  /** The order after one step; undefined when it is left for later. */
  const runStep = async (order: Order): Promise<Order | undefined> => {
    try {
      const outcome = await outcomeOf(order, upstreams);
      const moved = await settle(orm, order, outcome);
      if (moved) changes.announce(moved.id);
      return moved;
    } catch (error) {
      log.warn(
        { err: error, orderId: order.id, status: order.status, attempts: order.attempts + 1 },
        "checkout step failed",
      );
      await postpone(orm, order).catch((cause) =>
        log.error({ err: cause, orderId: order.id }, "left to its lease"),
      );
      return undefined;
    }
  };

  const checkout: Checkout = {
    wake() {
      if (stopped) return;
      again = true;
      looking ??= look()
        .catch((error) => log.warn({ err: error }, "looking for due orders failed"))
        .finally(() => {
          looking = undefined;
        });
    },
    start() {
      timer = setInterval(() => checkout.wake(), pollMs);
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await Promise.all(inHand);
    },
  };
  return checkout;
}

async function outcomeOf(order: Order, upstreams: Upstreams): Promise<Outcome> {
  if (order.stepDeadline && order.stepDeadline.getTime() <= Date.now())
    return { to: "COMPENSATING", reason: "TIMED_OUT" };
  const step = steps[order.status];
  if (!step) throw new Error(`no step for ${order.status}`);
  return step(order, upstreams);
}

/** Takes due orders in hand; other replicas skip them until the lease runs out. */
async function claimDue(orm: MikroORM, limit: number): Promise<Order[]> {
  if (limit <= 0) return [];
  return inTransaction(orm, async (tx) => {
    const now = Date.now();
    const due = await tx.find(
      OrderRow,
      { nextStepAt: { $lte: new Date(now) } },
      { orderBy: { nextStepAt: "asc" }, limit, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
    );
    for (const order of due) order.nextStepAt = new Date(now + leaseMs);
    return due;
  });
}

/** Stores an outcome and its event; undefined when somebody else has moved the order meanwhile. */
async function settle(orm: MikroORM, seen: Order, outcome: Outcome): Promise<Order | undefined> {
  return inTransaction(orm, async (tx) => {
    const order = await lockOrder(tx, seen.id);
    if (!order || order.version !== seen.version) return undefined;
    moveTo(order, outcome.to, new Date(), outcome.to === "COMPENSATING" ? outcome.reason : undefined);
    if (outcome.to !== "RESERVED") order.paymentToken = null; // charged or given up: not needed any more
    recordStatus(tx, order);
    return order;
  });
}

/** Sets the time of the next try. */
async function postpone(orm: MikroORM, seen: Order): Promise<void> {
  await inTransaction(orm, async (tx) => {
    const order = await lockOrder(tx, seen.id);
    if (!order || order.version !== seen.version) return;
    order.attempts += 1;
    order.nextStepAt = new Date(Date.now() + backoffMs(order.status, order.attempts, Math.random()));
  });
}
