/**
 * Numbers of the checkout:
 *
 *   order.checkout.steps            tries of steps, by step and outcome
 *   order.checkout.open             orders that are not settled, by status
 *   order.compensations.overdue     cancelled orders whose money or pieces are not given back after a minute:
 *                                   alert when it is not 0
 */
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Meter } from "@opentelemetry/api";
import type { Entry } from "./timeline.ts";

export interface CheckoutMetrics {
  /** Counts tries that have ended. */
  count(trail: readonly Entry[]): void;
}

const overdueAfter = "60 seconds";

export function createCheckoutMetrics(meter: Meter, orm: MikroORM): CheckoutMetrics {
  const steps = meter.createCounter("order.checkout.steps", {
    description: "Tries of steps of the checkout",
  });
  const open = meter.createObservableGauge("order.checkout.open", {
    description: "Orders that are not settled, by status",
  });
  const overdue = meter.createObservableGauge("order.compensations.overdue", {
    description: "Cancelled orders whose money or pieces are not given back after a minute",
  });
  meter.addBatchObservableCallback(
    async (result) => {
      const rows = await orm.em.fork().execute<{ status: string; count: number; overdue: number }[]>(
        `select status, count(*)::int as count,
           (count(*) filter (where status = 'COMPENSATING' and updated_at < now() - interval '${overdueAfter}'))::int
             as overdue
         from orders where next_step_at is not null group by status`,
      );
      for (const { status, count } of rows) result.observe(open, count, { status });
      result.observe(
        overdue,
        rows.reduce((sum, row) => sum + row.overdue, 0),
      );
    },
    [open, overdue],
  );
  return {
    count(trail) {
      for (const { step, outcome } of trail) steps.add(1, { step, outcome });
    },
  };
}
