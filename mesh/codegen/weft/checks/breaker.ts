import type { Problems } from "../contract/problems.ts";
import type { CheckedMethod } from "./check-contract.ts";

/** A breaker says from which volume on it judges: without one, a single failed call would open it. */
export function checkBreaker({ desc, own, defaults, policy }: CheckedMethod, problems: Problems): void {
  const written = own.breaker ?? defaults.breaker;
  if (!written) return;
  if (written.minimumRps === 0)
    problems.add({
      desc,
      option: own.breaker ? "breaker" : "breaker.minimum_rps",
      problem: "has no minimum_rps: one failed call alone would open it",
      instead: "minimum_rps: 5, or the calls per second from which a ratio means something",
    });
  if (written.ratio < 0 || written.ratio >= 1)
    problems.add({
      desc,
      option: "breaker.ratio",
      problem: `is ${written.ratio}`,
      instead: "a share of failed calls above 0 and below 1, such as 0.5",
    });
  const { windowMs, openMs, maxOpenMs } = policy.breaker;
  if (windowMs < 1_000 || openMs <= 0)
    problems.add({
      desc,
      option: "breaker",
      problem: `has a window of ${windowMs} ms and an open time of ${openMs} ms`,
      instead: "a window of at least 1 s and an open time above 0",
    });
  if (maxOpenMs < openMs)
    problems.add({
      desc,
      option: "breaker.max_open",
      problem: `is ${maxOpenMs} ms, less than the first open time of ${openMs} ms`,
      instead: `at least ${openMs} ms`,
    });
}
