import type { Problems } from "../contract/problems.ts";
import type { CheckedMethod } from "./check-contract.ts";

const NO_SIDE_EFFECTS = 1;
/** Longest rule that Prometheus is asked to look back for: a quarter and some days. */
const LONGEST_SLO_MS = 100 * 24 * 3_600_000;

/** Numbers that would make a policy mean nothing. */
export function checkNumbers({ desc, own, policy }: CheckedMethod, problems: Problems): void {
  const add = (option: string, problem: string, instead: string) =>
    problems.add({ desc, option, problem, instead });
  const { timeoutMs, rateLimit, slo, successStatus } = policy;
  if (timeoutMs <= 0) add("timeout", `is ${timeoutMs} ms: every call would fail`, "a time above 0");
  if (rateLimit && (rateLimit.requests === 0 || rateLimit.periodMs <= 0))
    add("rate_limit", "lets no request pass", "requests above 0 and a period above 0, or no rate_limit");
  if (slo.availability <= 0 || slo.availability >= 1)
    add("slo.availability", `is ${slo.availability}`, "a share above 0 and below 1, such as 0.999");
  if (slo.latencyMs <= 0 || slo.latencyMs > timeoutMs)
    add(
      "slo.latency",
      `is ${slo.latencyMs} ms, and no call takes longer than its timeout of ${timeoutMs} ms`,
      `more than 0 and at most ${timeoutMs} ms`,
    );
  if (slo.windowMs < 24 * 3_600_000 || slo.windowMs > LONGEST_SLO_MS)
    add("slo", `has a window of ${slo.windowMs / 3_600_000} h`, "1 to 100 days, such as 30 days");
  if (own.cache && desc.idempotency !== NO_SIDE_EFFECTS)
    add(
      "cache",
      "is set on a method that may change something",
      "option idempotency_level = NO_SIDE_EFFECTS; if it only reads, else no cache",
    );
  if (successStatus < 200 || successStatus > 299)
    add("rest.success_status", `is ${successStatus}`, "a status of success, 200 to 299");
}
