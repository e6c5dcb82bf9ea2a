import type { DescMethod } from "@bufbuild/protobuf";
import { type RateLimit, RateLimit_Key } from "#gen/weft/policy/v1/policy_pb.ts";
import { milliseconds } from "./duration.ts";

/** An even flow of requests with some of them at once (weft.policy.v1.RateLimit). */
export interface RateLimitPolicy {
  /** Requests per period. */
  readonly requests: number;
  readonly periodMs: number;
  /** Requests that may come at once. */
  readonly burst: number;
  readonly key: RateLimit_Key;
}

/** @throws Error for a limit that lets nothing pass */
export function rateLimitOf(method: DescMethod, limit: RateLimit | undefined): RateLimitPolicy | undefined {
  if (!limit) return undefined;
  const periodMs = milliseconds(limit.period) ?? 1_000;
  if (limit.requests === 0 || periodMs <= 0)
    throw new Error(`${method.parent.typeName}.${method.name}: rate_limit lets no request pass`);
  return {
    requests: limit.requests,
    periodMs,
    burst: limit.burst || limit.requests,
    key: limit.key || RateLimit_Key.IP,
  };
}
