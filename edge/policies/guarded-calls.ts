import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { BreakerBoard } from "#mesh/runtime/policy/breaker-board.ts";
import { meshNameOf, policyOf, type ResolvedPolicy } from "#mesh/runtime/policy/method-policy.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { StartCall } from "../transcode/upstream-call.ts";
import { GuardedCall } from "./guarded-call.ts";
import { refusal } from "./refusal.ts";
import { RetryBudget } from "./retry-budget.ts";
import { UpstreamGuard } from "./upstream-guard.ts";

/** What the calls of one method share. */
export interface MethodGuard {
  readonly name: string;
  readonly policy: ResolvedPolicy;
  readonly guard: UpstreamGuard;
  /** The refusal of one call too many. */
  readonly overloaded: StatusError;
  /** Shared by all methods of the upstream. */
  readonly budget: RetryBudget;
}

/**
 * Unary calls to a service under the contract's breaker, concurrency limit and retries. Retries are made here
 * and nowhere further in: three layers that try three times make 27 calls of one. Streams pass untouched.
 * @param breakers where the breakers of its methods show themselves
 * @param retries "mesh" where proxies around the services make the retries they can make: then only the others
 *   are left to the edge
 */
export function guardedCalls(
  start: StartCall,
  service: DescService,
  breakers: BreakerBoard,
  retries: "edge" | "mesh" = "edge",
): StartCall {
  const budget = new RetryBudget();
  const upstream = meshNameOf(service);
  const guards = new Map<string, MethodGuard>();
  for (const method of service.methods) {
    if (method.methodKind !== "unary") continue;
    const name = `${service.typeName}/${method.name}`;
    const policy = retries === "mesh" ? withoutMeshRetries(policyOf(method)) : policyOf(method);
    const guard = new UpstreamGuard(policy, (state) => breakers.changed(upstream, name, state));
    breakers.add(() => {
      const { state, limit, counts } = guard;
      return { upstream, method: name, state, limit, ...counts };
    });
    guards.set(`/${name}`, { name, policy, guard, budget, overloaded: overloaded(method, name) });
  }
  return (path, metadata, timeoutMs, sink) => {
    const shared = guards.get(path);
    if (!shared) return start(path, metadata, timeoutMs, sink);
    return new GuardedCall(shared, start, path, metadata, timeoutMs, sink);
  };
}

/** Codes that Envoy and linkerd-proxy can retry on. */
const RETRIED_BY_PROXIES: ReadonlySet<number> = new Set([
  Code.cancelled,
  Code.deadlineExceeded,
  Code.resourceExhausted,
  Code.internal,
  Code.unavailable,
]);

function withoutMeshRetries(policy: ResolvedPolicy): ResolvedPolicy {
  const { retry } = policy;
  const codes = new Set([...(retry?.codes ?? [])].filter((code) => !RETRIED_BY_PROXIES.has(code)));
  return { ...policy, retry: retry && codes.size > 0 ? { ...retry, codes } : undefined };
}

/** Made once: when there are too many calls, refusing them must cost next to nothing. */
function overloaded({ parent }: DescMethod, name: string): StatusError {
  const message = `${name}: too many calls in flight`;
  const error = new ServiceError(Code.unavailable, "OVERLOADED", message, { retryAfterMs: 1_000 });
  return StatusError.from(refusal(error, parent.file.proto.package, {}));
}
