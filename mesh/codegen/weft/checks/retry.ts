import type { Problems } from "../contract/problems.ts";
import { isIdempotent } from "../contract/read-policy.ts";
import type { CheckedMethod } from "./check-contract.ts";

/** Codes of google.rpc.Code that a call can fail with. */
export const CODES = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** Only what can be repeated is repeated, a bounded number of times, on codes that exist. */
export function checkRetry({ desc, own, policy }: CheckedMethod, problems: Problems): void {
  if (own.retry && !isIdempotent(desc))
    problems.add({
      desc,
      option: "retry",
      problem: "is set on a method that may have its effect twice",
      instead:
        "option idempotency_level = IDEMPOTENT; (or NO_SIDE_EFFECTS) if repeating is safe, else no retry",
    });
  const { retry, timeoutMs } = policy;
  if (!retry) return;
  if (retry.attempts < 2 || retry.attempts > 5)
    problems.add({
      desc,
      option: "retry.attempts",
      problem: `is ${retry.attempts}, the first try included`,
      instead: "2 to 5, or no retry",
    });
  if (retry.perTryMs !== undefined && (retry.perTryMs <= 0 || retry.perTryMs > timeoutMs))
    problems.add({
      desc,
      option: "retry.per_try_timeout",
      problem: `is ${retry.perTryMs} ms, and the whole call may take ${timeoutMs} ms`,
      instead: `more than 0 and at most ${timeoutMs} ms`,
    });
  for (const code of retry.codes)
    if (!CODES.includes(code))
      problems.add({
        desc,
        option: "retry.codes",
        problem: `names "${code}", which is no status code`,
        instead: `names such as "UNAVAILABLE": ${CODES.join(", ")}`,
      });
}
