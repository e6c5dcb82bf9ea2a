/**
 * The contract as every target needs it: options merged with the service's defaults and the built-in ones.
 * Targets read this model and nothing else. Times in milliseconds.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";

/** Caller's name that stands for the gateway, the way in from outside. */
export const EDGE = "edge";
/** Caller's name that stands for anybody, without a workload identity. */
export const ANYBODY = "*";
/** Caller's name that stands for whoever runs the mesh. */
export const OPERATOR = "operator";
/** Name of a contract that every service serves beside its own. */
export const EVERY_SERVICE = "*";

/** Everything that is generated from. */
export interface Contract {
  /** By name. */
  readonly services: readonly MeshService[];
  /** By subject. */
  readonly events: readonly MeshEvent[];
}

/** One workload: a name in the mesh and the services of the contract that it serves. */
export interface MeshService {
  readonly name: string;
  /** First paragraph of the service's comment; "" for none. */
  readonly about: string;
  /** Its own; what every service serves is in `methods` only. */
  readonly contracts: readonly DescService[];
  readonly methods: readonly MeshMethod[];
  readonly publishes: readonly MeshEvent[];
  readonly consumes: readonly Subscription[];
  /** What it may call, by callee. Methods open to anybody are not listed. */
  readonly calls: readonly Calls[];
}

/** The methods of one callee that a caller may call. */
export interface Calls {
  readonly callee: string;
  readonly methods: readonly MeshMethod[];
}

export interface MeshMethod {
  readonly desc: DescMethod;
  /** "PlaceThing" */
  readonly name: string;
  /** Full name of the service in the contract: "pkg.v1.Service". */
  readonly service: string;
  /** "/pkg.v1.Service/PlaceThing", the HTTP path of gRPC. */
  readonly path: string;
  readonly about: string;
  readonly kind: DescMethod["methodKind"];
  /** Belongs to a contract that every service serves beside its own. */
  readonly shared: boolean;
  /** May be called again without another effect. */
  readonly idempotent: boolean;
  readonly policy: Policy;
  /** "GET /v1/things/{id}", in order of declaration. */
  readonly rest: readonly string[];
}

export interface Policy {
  readonly access: AccessRule;
  /** Sorted; may hold EDGE, OPERATOR and ANYBODY. */
  readonly callers: readonly string[];
  readonly timeoutMs: number;
  readonly retry: RetryRule | undefined;
  readonly breaker: BreakerRule;
  readonly concurrency: ConcurrencyRule;
  readonly rateLimit: RateRule | undefined;
  readonly idempotencyKeyRequired: boolean;
  readonly cache: { readonly maxAgeMs: number; readonly shared: boolean } | undefined;
  readonly slo: SloRule;
  readonly successStatus: number;
  readonly maxRequestBytes: number;
  readonly importance: "low" | "normal" | "high";
}

export interface AccessRule {
  readonly kind: "public" | "signed_in" | "roles" | "owner" | "service_only";
  /** Roles that are enough: of "roles" all that may call, of "owner" those beside the owner. */
  readonly roles: readonly string[];
  /** Of "owner": where the owner's id stands, in words. */
  readonly ownedBy: string;
}

export interface RetryRule {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly perTryMs: number | undefined;
  readonly baseBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Names of gRPC codes, sorted. */
  readonly codes: readonly string[];
}

export interface BreakerRule {
  readonly ratio: number;
  readonly minimumRps: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
}

/** Calls in flight from one caller process. */
export interface ConcurrencyRule {
  readonly limit: number;
  readonly queue: number;
  /** The gateway's limit: it serves everybody and so has more of them, and nobody waits there. */
  readonly edgeLimit: number;
}

export interface RateRule {
  readonly requests: number;
  readonly periodMs: number;
  readonly burst: number;
  readonly key: "address" | "user" | "client";
}

export interface SloRule {
  readonly availability: number;
  readonly latencyMs: number;
  readonly windowMs: number;
}

/** A message that leaves its service over JetStream. */
export interface MeshEvent {
  /** Full name of the message. */
  readonly type: string;
  readonly about: string;
  /** Names of the services of its package, any of which may publish it; sorted. */
  readonly publishers: readonly string[];
  /** The first of them, for where there is room for one. */
  readonly publisher: string;
  readonly subject: string;
  /** a.b.v1 becomes A_B_V1. */
  readonly stream: string;
  readonly key: string;
  /** Field that grows with each change; "" for none. */
  readonly version: string;
  readonly consumers: readonly ConsumerRule[];
}

export interface ConsumerRule {
  readonly service: string;
  /** Durable consumer: SERVICE__EVENT. */
  readonly durable: string;
  readonly maxDeliver: number;
  readonly backoffMs: readonly number[];
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
}

/** An event seen from one of its readers. */
export interface Subscription {
  readonly event: MeshEvent;
  readonly consumer: ConsumerRule;
}
