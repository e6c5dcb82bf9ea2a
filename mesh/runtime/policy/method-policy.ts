/** Policy of a method as the runtime uses it: options of the contract merged with the defaults. */
import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import {
  type Access,
  type Cache,
  IdempotencyKey,
  Importance,
  type MethodPolicy,
  method,
  service,
} from "#gen/weft/policy/v1/policy_pb.ts";
import { milliseconds } from "./duration.ts";
import { type RateLimitPolicy, rateLimitOf } from "./rate-limit-policy.ts";
import { type RetryPolicy, retryOf } from "./retry-policy.ts";

/** What callers, servers and the edge must know about a method. Times in milliseconds. */
export interface ResolvedPolicy {
  /** Name of the service that has the method. */
  readonly service: string;
  /** Undefined: the contract has no rule, so the method is refused. */
  readonly access: Access["rule"] | undefined;
  readonly callers: ReadonlySet<string>;
  readonly timeoutMs: number;
  /** Calls that take longer than this are worth a look: the objective's latency, else half of the timeout. */
  readonly slowMs: number;
  readonly idempotencyKeyRequired: boolean;
  readonly maxRequestBytes: number;
  /** HTTP status of a successful unary reply over REST. */
  readonly successStatus: number;
  readonly breaker: {
    ratio: number;
    minimumRps: number;
    windowMs: number;
    openMs: number;
    maxOpenMs: number;
  };
  readonly concurrency: { limit: number; queue: number };
  /** Calls in flight at the edge, which serves everybody and so has more of them; nobody waits there. */
  readonly edgeConcurrency: number;
  /** Calls in flight in a process that serves the method: what all callers together may have, each with a process. */
  readonly serverConcurrency: number;
  /** Undefined: no limit. */
  readonly rateLimit: RateLimitPolicy | undefined;
  /** Undefined: no retries. */
  readonly retry: RetryPolicy | undefined;
  readonly importance: Importance;
  /** Value of Cache-Control for a successful reply to GET. */
  readonly cacheControl: string;
}

const resolved = new WeakMap<DescMethod, ResolvedPolicy>();

/** Policy of `desc`, from its own option, its service's defaults, and the built-in defaults. */
export function policyOf(desc: DescMethod): ResolvedPolicy {
  const known = resolved.get(desc);
  if (known) return known;
  const policy = resolve(desc);
  resolved.set(desc, policy);
  return policy;
}

/**
 * Name of a service in the mesh.
 * @throws Error when the contract gives it none
 */
export function meshNameOf(desc: DescService): string {
  const name = hasOption(desc, service) ? getOption(desc, service).name : "";
  if (!name) throw new Error(`${desc.typeName}: option (weft.policy.v1.service).name is missing`);
  return name;
}

function resolve(desc: DescMethod): ResolvedPolicy {
  const own: Partial<MethodPolicy> = hasOption(desc, method) ? getOption(desc, method) : {};
  const defaults: Partial<MethodPolicy> = hasOption(desc.parent, service)
    ? (getOption(desc.parent, service).defaults ?? {})
    : {};
  const breaker = own.breaker ?? defaults.breaker;
  const concurrency = own.concurrency ?? defaults.concurrency;
  const callers = new Set(own.callers?.length ? own.callers : (defaults.callers ?? []));
  const timeoutMs = milliseconds(own.timeout ?? defaults.timeout) ?? 2_000;
  return {
    service: meshNameOf(desc.parent),
    access: (own.access ?? defaults.access)?.rule,
    callers,
    timeoutMs,
    slowMs: milliseconds((own.slo ?? defaults.slo)?.latency) ?? timeoutMs / 2,
    idempotencyKeyRequired: (own.idempotencyKey || defaults.idempotencyKey) === IdempotencyKey.REQUIRED,
    maxRequestBytes: own.maxRequestBytes || defaults.maxRequestBytes || 65_536,
    successStatus: (own.rest ?? defaults.rest)?.successStatus || 200,
    breaker: {
      ratio: breaker?.ratio || 0.5,
      minimumRps: breaker?.minimumRps || 5,
      windowMs: milliseconds(breaker?.window) ?? 10_000,
      openMs: milliseconds(breaker?.open) ?? 1_000,
      maxOpenMs: milliseconds(breaker?.maxOpen) ?? 4_000,
    },
    concurrency: { limit: concurrency?.limit || 32, queue: concurrency?.queue || 16 },
    edgeConcurrency: concurrency?.limit || 512,
    serverConcurrency: concurrency?.limit ? concurrency.limit * Math.max(1, callers.size) : 512,
    rateLimit: rateLimitOf(desc, own.rateLimit ?? defaults.rateLimit),
    retry: retryOf(desc, own.retry, defaults.retry),
    importance: own.importance || defaults.importance || Importance.NORMAL,
    cacheControl: cacheControlOf(desc, own.cache ?? defaults.cache),
  };
}

function cacheControlOf({ idempotency }: DescMethod, cache: Cache | undefined): string {
  if (!cache || idempotency !== Idempotency.NO_SIDE_EFFECTS) return "no-store";
  const seconds = Number(cache.maxAge?.seconds ?? 0);
  return seconds === 0 ? "no-cache" : `${cache.shared ? "public" : "private"}, max-age=${seconds}`;
}
