import type { RetryRule } from "../../contract/model.ts";
import { goDuration } from "../../output/duration.ts";
import { envoyRetryOn } from "../envoy-retry-on.ts";

/**
 * HTTPRetry of a VirtualService. Its attempts are those after the first. A route without retries would be tried
 * three times by Istio's default, so "none" is said aloud.
 */
export function istioRetries(retry: RetryRule | undefined): object {
  const conditions = retry ? envoyRetryOn(retry) : [];
  if (!retry || conditions.length === 0) return { attempts: 0 };
  return {
    attempts: retry.attempts - 1,
    ...(retry.perTryMs !== undefined && { perTryTimeout: goDuration(retry.perTryMs) }),
    retryOn: conditions.join(","),
    backoff: goDuration(retry.baseBackoffMs),
  };
}
