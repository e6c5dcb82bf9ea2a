/** Figures of a run, from its history and its evidence. */
import type { FaultRecord } from "../harness/inject-faults.ts";
import type { CampaignResult } from "../harness/run-campaign.ts";
import type { Evidence } from "../shop/evidence.ts";

export interface Figures {
  /** Orders that were acknowledged, by final status. */
  readonly orders: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  /** Completions of operations, by operation and type. */
  readonly operations: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Milliseconds from a killed server's readiness to the next confirmed order: the longest of each server. */
  readonly recovery: Readonly<Record<string, number>>;
  /** Acknowledged orders for each second of the load. */
  readonly ordersPerSecond: number;
}

/** Servers whose recovery is measured. */
const servers = ["nats", "postgres"];

export function figuresOf(result: CampaignResult<Evidence>): Figures {
  const { history, evidence, faults, loadTook } = result;
  const operations: Record<string, Record<string, number>> = {};
  for (const { f, type } of history) {
    if (type === "invoke") continue;
    operations[f] ??= {};
    operations[f][type] = (operations[f][type] ?? 0) + 1;
  }
  const acknowledged = new Set(
    history
      .filter(({ f, type }) => f === "place" && type === "ok")
      .map(({ value }) => (value as { orderId: string }).orderId),
  );
  const confirmations = confirmationsOf(result);
  return {
    orders: countBy(
      evidence.orders.map(({ status, cancelReason }) => [status, cancelReason].filter(Boolean).join(" ")),
    ),
    acknowledged: acknowledged.size,
    operations,
    faults: countBy(faults.filter(({ skipped }) => !skipped).map(({ kind }) => kind)),
    recovery: recoveryOf(faults, confirmations),
    ordersPerSecond: (acknowledged.size * 1_000) / loadTook,
  };
}

/** When orders were confirmed, in milliseconds since the run began, ascending. */
export function confirmationsOf({ evidence, began }: CampaignResult<Evidence>): number[] {
  return evidence.events
    .filter(({ type }) => type.endsWith(".OrderConfirmed"))
    .map(({ recordedAt }) => recordedAt - began)
    .sort((left, right) => left - right);
}

function recoveryOf(
  faults: readonly FaultRecord[],
  confirmations: readonly number[],
): Record<string, number> {
  const longest: Record<string, number> = {};
  for (const { target, ready } of faults) {
    if (ready === undefined || !servers.includes(target)) continue;
    const next = confirmations.find((at) => at >= ready);
    if (next !== undefined) longest[target] = Math.max(longest[target] ?? 0, Math.round(next - ready));
  }
  return longest;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
