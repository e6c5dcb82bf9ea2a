import type { DescMethod } from "@bufbuild/protobuf";
import { RateLimit_Key as Key } from "#gen/weft/policy/v1/policy_pb.ts";
import type { RateLimitPolicy } from "#mesh/runtime/policy/rate-limit-policy.ts";
import type { Gcra } from "./gcra.ts";
import type { RateLimitStore } from "./rate-limit-store.ts";

/** A limit as the edge applies it. */
export interface RateLimitRule {
  readonly limit: Gcra;
  readonly key: Key;
  /** Keeps the keys of different limits apart. */
  readonly scope: string;
  /** Item of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). */
  readonly policyItem: string;
  /** Name of the limit in both header fields. */
  readonly name: string;
}

/** The limits of an edge and where their state is. */
export interface RateLimits {
  readonly store: RateLimitStore;
  /** For all calls of an address together; undefined for none. */
  readonly everything: RateLimitRule | undefined;
}

const names: Readonly<Record<number, string>> = {
  [Key.IP]: "address",
  [Key.USER]: "user",
  [Key.CLIENT]: "client",
};
const rules = new WeakMap<DescMethod, RateLimitRule>();

/** The rule of a method; made once. */
export function ruleOf(method: DescMethod, policy: RateLimitPolicy): RateLimitRule {
  let rule = rules.get(method);
  if (!rule) {
    rule = compileRule(`${method.parent.typeName}/${method.name}`, names[policy.key] ?? "address", policy);
    rules.set(method, rule);
  }
  return rule;
}

/** @param name a token, unlike those of other limits that may apply to the same call */
export function compileRule(scope: string, name: string, policy: RateLimitPolicy): RateLimitRule {
  const { requests, periodMs, burst, key } = policy;
  // The draft counts in whole seconds; a shorter window goes without one.
  const window = periodMs % 1_000 === 0 ? `;w=${periodMs / 1_000}` : "";
  return {
    limit: { intervalMs: periodMs / requests, burst },
    key,
    scope,
    name,
    policyItem: `"${name}";q=${requests}${window}`,
  };
}
