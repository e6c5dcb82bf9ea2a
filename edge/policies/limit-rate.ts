import { Code } from "@connectrpc/connect";
import { RateLimit_Key as Key } from "#gen/weft/policy/v1/policy_pb.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { addressKey } from "./client-address.ts";
import type { Decision } from "./gcra.ts";
import type { Passage, Step } from "./passage.ts";
import { type RateLimitRule, type RateLimits, ruleOf } from "./rate-limits.ts";

/** Applies limits by address: the one for everything, and the method's where its key is the address. */
export function limitAddress(limits: RateLimits): Step {
  return (passage) => {
    const { call, policy } = passage;
    const own = policy?.rateLimit?.key === Key.IP ? ruleOf(call.method, policy.rateLimit) : undefined;
    if (!own && !limits.everything) return;
    const address = `a:${addressKey(call.peer ?? "")}`;
    const waiting = limits.everything && take(limits, limits.everything, address, passage);
    if (!own) return waiting;
    return waiting
      ? waiting.then(() => take(limits, own, address, passage))
      : take(limits, own, address, passage);
  };
}

/** Applies the method's limit by user or by client program; by address where nobody is signed in. */
export function limitUser(limits: RateLimits): Step {
  return (passage) => {
    const { call, policy, principal } = passage;
    const limit = policy?.rateLimit;
    if (!limit || limit.key === Key.IP) return;
    const id = limit.key === Key.CLIENT ? principal?.clientId : principal?.id;
    // A prefix each, so that no user can be named like an address.
    const sender = id === undefined ? `a:${addressKey(call.peer ?? "")}` : `u:${id}`;
    return take(limits, ruleOf(call.method, limit), sender, passage);
  };
}

function take(
  { store }: RateLimits,
  rule: RateLimitRule,
  sender: string,
  passage: Passage,
): void | Promise<void> {
  const decision = store.take(rule.limit, `${rule.scope} ${sender}`, Date.now());
  if (decision instanceof Promise) return decision.then((made) => apply(rule, made, passage));
  apply(rule, decision, passage);
}

/** Header fields of draft-ietf-httpapi-ratelimit-headers: lists with an item for each limit. */
function apply(rule: RateLimitRule, decision: Decision, { responseHeaders }: Passage): void {
  const item = `"${rule.name}";r=${decision.remaining};t=${Math.ceil(decision.resetMs / 1_000)}`;
  const others = responseHeaders.ratelimit;
  responseHeaders.ratelimit = others === undefined ? item : `${others}, ${item}`;
  const policies = responseHeaders["ratelimit-policy"];
  responseHeaders["ratelimit-policy"] =
    policies === undefined ? rule.policyItem : `${policies}, ${rule.policyItem}`;
  if (!decision.allowed) {
    throw new ServiceError(Code.ResourceExhausted, "RATE_LIMITED", "too many requests", {
      metadata: { limit: rule.name, policy: rule.policyItem },
      retryAfterMs: decision.retryAfterMs,
    });
  }
}
