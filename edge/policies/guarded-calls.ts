import type { DescService } from "@bufbuild/protobuf";
import { policyOf, type ResolvedPolicy } from "#mesh/runtime/policy/method-policy.ts";
import type { StartCall } from "../transcode/upstream-call.ts";
import { GuardedCall } from "./guarded-call.ts";
import { RetryBudget } from "./retry-budget.ts";
import { UpstreamGuard } from "./upstream-guard.ts";

/** What the calls of one method share. */
export interface MethodGuard {
  readonly name: string;
  readonly policy: ResolvedPolicy;
  readonly guard: UpstreamGuard;
  /** Shared by all methods of the upstream. */
  readonly budget: RetryBudget;
}

/**
 * Unary calls to a service under the contract's breaker, concurrency limit and retries. Retries are made here
 * and nowhere further in: three layers that try three times make 27 calls of one. Streams pass untouched.
 * @param onBreaker hears when the breaker of a method opens and closes
 */
export function guardedCalls(
  start: StartCall,
  service: DescService,
  onBreaker: (rpc: string, state: "open" | "closed") => void,
): StartCall {
  const budget = new RetryBudget();
  const guards = new Map<string, MethodGuard>();
  for (const method of service.methods) {
    if (method.methodKind !== "unary") continue;
    const name = `${service.typeName}/${method.name}`;
    const policy = policyOf(method);
    const guard = new UpstreamGuard(policy, (state) => onBreaker(name, state));
    guards.set(`/${name}`, { name, policy, guard, budget });
  }
  return (path, metadata, timeoutMs, sink) => {
    const shared = guards.get(path);
    if (!shared) return start(path, metadata, timeoutMs, sink);
    return new GuardedCall(shared, start, path, metadata, timeoutMs, sink);
  };
}
