import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { Code as CodeByName } from "#gen/google/rpc/code_pb.ts";
import type { Retry } from "#gen/weft/policy/v1/policy_pb.ts";
import { milliseconds } from "./duration.ts";

/** When a failed call is made once more (weft.policy.v1.Retry). Times in milliseconds. */
export interface RetryPolicy {
  /** Tries in all, 2 to 5. */
  readonly attempts: number;
  /** Undefined: what is left of the call's own time. */
  readonly perTryMs: number | undefined;
  readonly baseBackoffMs: number;
  readonly maxBackoffMs: number;
  /** gRPC codes worth another try. */
  readonly codes: ReadonlySet<number>;
}

/**
 * A service's default reaches its idempotent methods only.
 * @throws Error for retries of a method that is not idempotent, for a wrong number of tries or an unknown code
 */
export function retryOf(
  method: DescMethod,
  own: Retry | undefined,
  inherited: Retry | undefined,
): RetryPolicy | undefined {
  const repeatable = method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN;
  const retry = own ?? (repeatable ? inherited : undefined);
  if (!retry) return undefined;
  const refuse = (reason: string) => new Error(`${method.parent.typeName}.${method.name}: retry ${reason}`);
  if (!repeatable) throw refuse("needs an idempotency_level");
  if (retry.attempts < 2 || retry.attempts > 5) throw refuse("must have 2 to 5 attempts");
  return {
    attempts: retry.attempts,
    perTryMs: milliseconds(retry.perTryTimeout),
    baseBackoffMs: milliseconds(retry.baseBackoff) ?? 25,
    maxBackoffMs: milliseconds(retry.maxBackoff) ?? 100,
    codes: new Set(
      (retry.codes.length > 0 ? retry.codes : ["UNAVAILABLE"]).map((name) => {
        const code = CodeByName[name as keyof typeof CodeByName];
        if (typeof code !== "number" || code === CodeByName.OK)
          throw refuse(`names no status code: "${name}"`);
        return code;
      }),
    ),
  };
}
