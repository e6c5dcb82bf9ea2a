/** A method's objective in terms of what is measured. */
import type { MeshMethod } from "../../contract/model.ts";
import { BUCKETS, labels, metrics, SERVER_FAULTS } from "../metrics.ts";

/** Methods that alerts are made for. What every service serves beside its own is for operators, who see by themselves. */
export function hasObjective({ shared, policy }: MeshMethod): boolean {
  return !shared && policy.callers.length > 0;
}

/** "pkg.v1.Service/Method", the value of the method label. */
export function methodLabel({ path }: MeshMethod): string {
  return path.slice(1);
}

/**
 * Bound of the histogram that tells fast from slow calls, in seconds: the largest one within the objective's
 * latency. Undefined where calls are cut at that time anyway, and so are failures by their code.
 */
export function latencyBound({ policy: { slo, timeoutMs } }: MeshMethod): number | undefined {
  if (slo.latencyMs >= timeoutMs) return undefined;
  const within = BUCKETS.filter((bound) => bound * 1_000 <= slo.latencyMs);
  return within.at(-1) ?? BUCKETS[0];
}

/**
 * PromQL for the share of calls that failed or were slow. Where nothing was good the term for it is missing, so
 * zero stands in: an outage of everything must not look like no data.
 * @param window such as "5m"
 */
export function badShare(method: MeshMethod, window: string): string {
  const bound = latencyBound(method);
  const of = (series: string, ...more: string[]) => {
    const selectors = [`${labels.method}="${methodLabel(method)}"`, ...more].join(",");
    return `sum(rate(${metrics.serverCalls}_${series}{${selectors}}[${window}]))`;
  };
  const ok = `${labels.code}!~"${SERVER_FAULTS.join("|")}"`;
  const all = of("count");
  const good = bound === undefined ? of("count", ok) : of("bucket", ok, `le="${bound}"`);
  return `1 - ((${good} or 0 * ${all}) / ${all})`;
}
