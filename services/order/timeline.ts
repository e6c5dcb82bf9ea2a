/**
 * The timeline of an order: what its checkout tried, when, and what came of it. Entries are written in the
 * transaction that draws the consequence; a try whose process died in its midst has none.
 *
 * A compensation is tried for ever, so failed tries of a step share their last entry from the twentieth on.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { EntityManager } from "@mikro-orm/postgresql";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";

/** What can happen to an order. */
export type StepName =
  | "PLACE"
  | "RESERVE"
  | "CHARGE"
  | "QUERY_CHARGE"
  | "COMMIT"
  | "CANCEL"
  | "REFUND"
  | "RELEASE";

/** SUPERSEDED: it ended, but the order had been moved meanwhile. */
export type StepOutcome = "DONE" | "REFUSED" | "FAILED" | "TIMED_OUT" | "SUPERSEDED";

/** One try of a step. */
export interface Entry {
  readonly step: StepName;
  readonly attempt: number;
  readonly outcome: StepOutcome;
  /** Why it was not done: a value of CancelReason, or code and reason of the error. Empty for DONE. */
  readonly reason: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

const keptFailures = 20;

/** Adds entries in the caller's transaction. */
export async function addToTimeline(
  tx: EntityManager,
  orderId: string,
  entries: readonly Entry[],
): Promise<void> {
  for (const { step, attempt, outcome, reason, startedAt, endedAt } of entries) {
    const slot = outcome === "FAILED" ? Math.min(attempt, keptFailures) : 0;
    await runLater(
      tx,
      `insert into order_steps (order_id, step, outcome, slot, attempt, reason, started_at, ended_at)
       values (?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (order_id, step, outcome, slot) do update
         set attempt = excluded.attempt, reason = excluded.reason,
             started_at = excluded.started_at, ended_at = excluded.ended_at`,
      [orderId, step, outcome, slot, attempt, reason, startedAt, endedAt],
    );
  }
}

/** An entry of something that was done at one moment. */
export function doneAt(step: StepName, at: Date, reason = ""): Entry {
  return { step, attempt: 1, outcome: "DONE", reason, startedAt: at, endedAt: at };
}

/** Code and reason of an error, as customers may see them: "UNAVAILABLE PROVIDER_UNAVAILABLE". */
export function reasonOfFailure(error: unknown): string {
  if (!(error instanceof ConnectError)) return "INTERNAL";
  const code = Code[error.code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return [code, reasonOf(error)].filter(Boolean).join(" ");
}
