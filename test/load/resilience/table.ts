import type { Sent } from "./open-loop.ts";

/** A row of the table: what, what it is, what it must be. */
export function row(what: string, is: string, bar: string, holds: boolean): void {
  if (!holds) process.exitCode = 1;
  console.log(`${holds ? "✓" : "✗"} ${what.padEnd(58)} ${is.padStart(14)}   ${bar}`);
}

export function note(what: string, is: string): void {
  console.log(`  ${what.padEnd(58)} ${is.padStart(14)}`);
}

/** The value that a share of all is not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Answers that are none, or the server's fault. */
export const failed = (sent: readonly Sent[]): Sent[] =>
  sent.filter(({ status }) => status <= 0 || status >= 500);

/** "3 × 503, 1 × the connection ended" */
export function reasons(sent: readonly Sent[]): string {
  const counts = new Map<string, number>();
  for (const { status, problem } of sent) {
    const reason = problem ?? String(status);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} × ${reason}`).join(", ");
}

/** Says whether the load itself kept up: a request that was sent late was waited for less than its client did. */
export function noteLateness(sent: readonly Sent[]): void {
  const late = sent.map((one) => one.late);
  note("requests sent late by, p99", `${percentile(late, 0.99).toFixed(0)} ms`);
}
