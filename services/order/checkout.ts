/**
 * DESIGN
 *
 * The checkout saga: brings every order from PENDING to CONFIRMED or CANCELLED.
 *
 * All state is in the order's row, and what is due when is told by the database's clock. A worker claims due
 * orders by pushing their `next_step_at` ahead (a lease), runs one command after the other, and stores each
 * outcome in a transaction that checks the version. Whoever crashes, loses a race or gets no answer leaves a
 * row that falls due again; commands are idempotent, so running one twice does no harm.
 *
 * A step forward has a deadline. After it a charge without an answer is first asked for by key; only then,
 * or when nobody knows for `queryTimeMs`, is the order compensated. Compensation has no deadline: it is tried
 * for ever, every 15 s at the longest, and order.compensations.overdue counts what takes longer than a minute.
 */
import type { MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "#mesh/runtime/failpoint.ts";
import type { Worker } from "#mesh/runtime/service.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { runOutsideOfRequests } from "#mesh/runtime/telemetry/context.ts";
import { inSpan } from "#mesh/runtime/telemetry/in-span.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { SpanKind, type SpanType } from "#mesh/runtime/telemetry/span.ts";
import type { Tracer } from "#mesh/runtime/telemetry/tracer.ts";
import type { CheckoutMetrics } from "./checkout-metrics.ts";
import { type Command, commands, lastCommands, type Outcome, type Upstreams } from "./checkout-steps.ts";
import { recordStatus } from "./events.ts";
import { backoffMs, isSettled, leaseMs, moveTo, queryTimeMs } from "./order.ts";
import type { OrderChanges } from "./order-changes.ts";
import { type Claimed, claimOrders, lockOrder, type Order, postponeStep, updateOrder } from "./storage.ts";
import { addToTimeline, type Entry, reasonOfFailure } from "./timeline.ts";

/** Orders in hand at once, and the pause between looks for due ones, in milliseconds. */
const maxInHand = 24;
const pollMs = 250;

/** Milliseconds after which a turn of the checkout is worth a look. */
const slowMs = 2_000;
const checkoutSpan: SpanType = { name: "checkout", kind: SpanKind.internal, attributes: {} };
const stepSpans = new Map<string, SpanType>(
  [...Object.values(commands), ...Object.values(lastCommands)]
    .flat()
    .map(({ step }) => [step, { name: `checkout ${step}`, kind: SpanKind.internal, attributes: {} }]),
);

/** The worker, and a way to make it look at once. */
export interface Checkout extends Worker {
  wake(): void;
}

/** Failed tries of a compensation after which its log lines are errors. */
const patience = 5;

/** @param upstreams clients of the services it commands, each call under its method's policy */
export function createCheckout(
  orm: MikroORM,
  upstreams: Upstreams,
  changes: OrderChanges,
  metrics: CheckoutMetrics,
  log: Logger,
  tracer: Tracer,
): Checkout {
  const inHand = new Set<Promise<void>>(); // an order may be here twice: one that is cancelled during a step
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let looking: Promise<void> | undefined;
  let again = false;

  const look = async (): Promise<void> => {
    do {
      again = false;
      const places = maxInHand - inHand.size;
      for (const claimed of places > 0 ? await claimOrders(orm, leaseMs, places) : []) {
        const { order } = claimed;
        const more = { "order.id": order.id, "order.status": order.status, "order.attempts": order.attempts };
        // The trace of the request that placed the order goes on, also in another process after a crash.
        const work = tracer
          .run(checkoutSpan, order, { slowMs, more }, () => bringOn(claimed))
          .finally(() => {
            inHand.delete(work);
            checkout.wake();
          });
        inHand.add(work);
      }
    } while (again && !stopped && inHand.size < maxInHand);
  };

  const bringOn = async (claimed: Claimed): Promise<void> => {
    let { order, lateMs }: { order: Order | undefined; lateMs: number } = claimed;
    while (order && !isSettled(order.status) && !stopped) {
      order = await runStep(order, lateMs);
      lateMs = Number.NEGATIVE_INFINITY; // its next step has only begun
    }
  };

  /** The order after one step; undefined when it is left for later. */
  const runStep = async (order: Order, lateMs: number): Promise<Order | undefined> => {
    const { id: orderId, status } = order;
    const trail: Entry[] = [];
    try {
      const outcome = await outcomeOf({ order, lateMs }, upstreams, trail);
      const moved = await settle(orm, order, outcome, trail);
      if (moved) changes.announce(moved);
      return moved;
    } catch (error) {
      const attempts = order.attempts + 1;
      const level = status === "COMPENSATING" && attempts >= patience ? "error" : "warn";
      log[level]({ err: error, orderId, status, attempts }, "checkout step failed");
      await postpone(orm, order, trail).catch((cause) =>
        log.error({ err: cause, orderId }, "left to its lease"),
      );
      return undefined;
    } finally {
      metrics.count(trail);
    }
  };

  const checkout: Checkout = {
    wake() {
      if (stopped) return;
      again = true;
      looking ??= runOutsideOfRequests(look)
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

/** Runs the commands that are due until one decides. Each that ended is in the trail, also when it throws. */
async function outcomeOf({ order, lateMs }: Claimed, upstreams: Upstreams, trail: Entry[]): Promise<Outcome> {
  const { status } = order;
  const due = (lateMs < 0 ? commands : lateMs < queryTimeMs ? lastCommands : {})[status];
  if (!due && lateMs >= 0) {
    trail.push(timedOut(order));
    return { to: "COMPENSATING", reason: "TIMED_OUT" };
  }
  for (const command of due ?? []) {
    const outcome = await tryCommand(command, order, upstreams, trail);
    if (outcome) return outcome;
  }
  throw new Error(`no command of ${status} decides`);
}

async function tryCommand(
  { step, run }: Command,
  order: Order,
  upstreams: Upstreams,
  trail: Entry[],
): Promise<Outcome | undefined> {
  const startedAt = new Date();
  const ended = (outcome: Entry["outcome"], reason = "") =>
    trail.push({ step, attempt: order.attempts + 1, outcome, reason, startedAt, endedAt: new Date() });
  try {
    failpoint(`checkout.${step.toLowerCase()}.before`);
    const outcome = await inSpan(stepSpans.get(step) as SpanType, () => run(order, upstreams));
    failpoint(`checkout.${step.toLowerCase()}.after`);
    if (outcome?.to === "COMPENSATING") ended("REFUSED", outcome.reason);
    else ended("DONE");
    return outcome;
  } catch (error) {
    ended("FAILED", reasonOfFailure(error));
    throw error;
  }
}

function timedOut({ status, attempts, updatedAt }: Order): Entry {
  const step = commands[status]?.[0]?.step;
  if (!step) throw new Error(`${status} has no deadline`);
  const times = { startedAt: updatedAt, endedAt: new Date() };
  return { step, attempt: attempts + 1, outcome: "TIMED_OUT", reason: "TIMED_OUT", ...times };
}

/** Stores an outcome, its event and its trail; undefined when somebody else has moved the order meanwhile. */
async function settle(
  orm: MikroORM,
  seen: Order,
  outcome: Outcome,
  trail: readonly Entry[],
): Promise<Order | undefined> {
  const order = { ...seen };
  moveTo(order, outcome.to, new Date(), outcome.to === "COMPENSATING" ? outcome.reason : undefined);
  if (outcome.to !== "RESERVED") order.paymentToken = null; // charged or given up: not needed any more
  return inTransaction(orm, async (tx) => {
    if (!(await updateOrder(tx, order, seen.version))) {
      const superseded = trail.map((entry) => ({ ...entry, outcome: "SUPERSEDED" }) as const);
      await addToTimeline(tx, order.id, superseded);
      return undefined;
    }
    await addToTimeline(tx, order.id, trail);
    recordStatus(tx, order);
    return order;
  });
}

/** Sets the time of the next try. */
async function postpone(orm: MikroORM, seen: Order, trail: readonly Entry[]): Promise<void> {
  await inTransaction(orm, async (tx) => {
    const order = await lockOrder(tx, seen.id);
    if (!order) return;
    await addToTimeline(tx, order.id, trail);
    if (order.version !== seen.version) return;
    await postponeStep(tx, order, backoffMs(order.status, order.attempts + 1, Math.random()));
  });
}
