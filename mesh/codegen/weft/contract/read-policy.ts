/** Policy of a method: its own options, else its service's defaults, else the built-in ones of policy.proto. */
import type { DescMethod, Registry } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type {
  Access,
  Breaker,
  IdempotencyKey,
  Importance,
  MethodPolicy,
  RateLimit,
  RateLimit_Key,
  Retry,
  ServicePolicy,
} from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../../read-option.ts";
import type { AccessRule, BreakerRule, Policy, RateRule, RetryRule } from "./model.ts";

// Enum values by number: generated code cannot be imported while it is being generated.
const KEY_REQUIRED: IdempotencyKey = 1;
const IDEMPOTENCY_UNKNOWN = 0;
const importances: Record<Importance, Policy["importance"]> = {
  0: "normal",
  1: "low",
  2: "normal",
  3: "high",
};
const rateKeys: Record<RateLimit_Key, RateRule["key"]> = {
  0: "address",
  1: "address",
  2: "user",
  3: "client",
};

/** Options as written, before they are merged. */
export interface WrittenPolicy {
  readonly own: Partial<MethodPolicy>;
  readonly defaults: Partial<MethodPolicy>;
}

export function writtenPolicy(registry: Registry, method: DescMethod): WrittenPolicy {
  return {
    own: readOption<MethodPolicy>(registry, method, "weft.policy.v1.method") ?? {},
    defaults: readOption<ServicePolicy>(registry, method.parent, "weft.policy.v1.service")?.defaults ?? {},
  };
}

/** Merges the options; what is wrong with them is for checks/ to say. */
export function readPolicy(method: DescMethod, { own, defaults }: WrittenPolicy): Policy {
  const concurrency = own.concurrency ?? defaults.concurrency;
  const timeoutMs = milliseconds(own.timeout ?? defaults.timeout) ?? 2_000;
  const cache = own.cache ?? defaults.cache;
  const slo = own.slo ?? defaults.slo;
  const callers = own.callers?.length ? own.callers : (defaults.callers ?? []);
  return {
    access: accessRule((own.access ?? defaults.access)?.rule),
    callers: [...new Set(callers)].sort(),
    timeoutMs,
    retry: retryRule(own.retry ?? (isIdempotent(method) ? defaults.retry : undefined)),
    breaker: breakerRule(own.breaker ?? defaults.breaker),
    concurrency: {
      limit: concurrency?.limit || 32,
      queue: concurrency?.queue || 16,
      edgeLimit: concurrency?.limit || 512,
    },
    rateLimit: rateRule(own.rateLimit ?? defaults.rateLimit),
    idempotencyKeyRequired: (own.idempotencyKey || defaults.idempotencyKey) === KEY_REQUIRED,
    cache: cache && { maxAgeMs: milliseconds(cache.maxAge) ?? 0, shared: cache.shared },
    slo: {
      availability: slo?.availability || 0.999,
      latencyMs: milliseconds(slo?.latency) ?? timeoutMs,
      windowMs: milliseconds(slo?.window) ?? 30 * 24 * 3_600_000,
    },
    successStatus: (own.rest ?? defaults.rest)?.successStatus || 200,
    maxRequestBytes: own.maxRequestBytes || defaults.maxRequestBytes || 65_536,
    importance: importances[own.importance || defaults.importance || 0] ?? "normal",
  };
}

export function isIdempotent({ idempotency }: DescMethod): boolean {
  return idempotency !== IDEMPOTENCY_UNKNOWN;
}

/** Milliseconds of a google.protobuf.Duration; undefined for none. */
export function milliseconds(duration: Duration | undefined): number | undefined {
  return duration ? Number(duration.seconds) * 1_000 + Math.round(duration.nanos / 1e6) : undefined;
}

function accessRule(rule: Access["rule"] | undefined): AccessRule {
  switch (rule?.case) {
    case "public":
      return { kind: "public", roles: [], ownedBy: "" };
    case "signedIn":
      return { kind: "signed_in", roles: [], ownedBy: "" };
    case "roles":
      return { kind: "roles", roles: [...rule.value.anyOf].sort(), ownedBy: "" };
    case "owner": {
      const { location, orRoles } = rule.value;
      const where = location.case === "requestField" ? "request" : "reply";
      const ownedBy = location.case === "subject" ? "the signed-in user" : `${where} field ${location.value}`;
      return { kind: "owner", roles: [...orRoles].sort(), ownedBy };
    }
    // No rule is refused by checks/access.ts; the narrowest stands in for it until then.
    default:
      return { kind: "service_only", roles: [], ownedBy: "" };
  }
}

function retryRule(retry: Retry | undefined): RetryRule | undefined {
  if (!retry) return undefined;
  return {
    attempts: retry.attempts,
    perTryMs: milliseconds(retry.perTryTimeout),
    baseBackoffMs: milliseconds(retry.baseBackoff) ?? 25,
    maxBackoffMs: milliseconds(retry.maxBackoff) ?? 100,
    codes: retry.codes.length > 0 ? [...new Set(retry.codes)].sort() : ["UNAVAILABLE"],
  };
}

function breakerRule(breaker: Breaker | undefined): BreakerRule {
  return {
    ratio: breaker?.ratio || 0.5,
    minimumRps: breaker?.minimumRps || 5,
    windowMs: milliseconds(breaker?.window) ?? 10_000,
    openMs: milliseconds(breaker?.open) ?? 1_000,
    maxOpenMs: milliseconds(breaker?.maxOpen) ?? 4_000,
  };
}

function rateRule(limit: RateLimit | undefined): RateRule | undefined {
  if (!limit) return undefined;
  return {
    requests: limit.requests,
    periodMs: milliseconds(limit.period) ?? 1_000,
    burst: limit.burst || limit.requests,
    key: rateKeys[limit.key] ?? "address",
  };
}
