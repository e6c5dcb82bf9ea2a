/** Each option of policy.proto and another value for it, in the contract of testdata/library/flips. */
import { IdempotencyKey, Importance, RateLimit_Key } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Place } from "./flip.ts";

export interface Flip {
  readonly on: Place;
  /** Set before the comparison, where the option needs company. */
  readonly given?: object;
  readonly becomes: object;
}
const seconds = (n: number) => ({ seconds: BigInt(n) });
const ms = (n: number) => ({ nanos: n * 1_000_000 });
const method = (becomes: object, given?: object) => ({ on: "method" as const, becomes, given });
const access = (value: object) => ({ access: { rule: value } });
const roles = (...anyOf: string[]) => access({ case: "roles", value: { anyOf } });
const owner = (location: object, orRoles: string[] = []) =>
  access({ case: "owner", value: { location, orRoles } });
const retry = (more: object) => ({ retry: { attempts: 3, ...more } });
const breaker = (more: object) => ({ breaker: { ratio: 0.5, minimumRps: 5, ...more } });
const limit = (more: object) => ({ rateLimit: { requests: 10, ...more } });
const slo = (more: object) => ({ slo: { availability: 0.99, ...more } });
const event = (becomes: object) => ({ on: "event" as const, becomes });
const consumer = (more: object) => event({ consumers: [{ service: "lending", ...more }] });

export const flips: Record<string, Flip> = {
  "ServicePolicy.name": { on: "service", becomes: { name: "racks" } },
  "ServicePolicy.defaults": {
    on: "service",
    becomes: {
      defaults: {
        access: { rule: { case: "signedIn", value: true } },
        callers: ["edge"],
        timeout: seconds(3),
      },
    },
  },
  "MethodPolicy.access": method(access({ case: "public", value: true })),
  "Access.public": method(access({ case: "public", value: true })),
  "Access.signed_in": method(
    access({ case: "signedIn", value: true }),
    access({ case: "public", value: true }),
  ),
  "Access.roles": method(roles("admin")),
  "Roles.any_of": method(roles("admin", "clerk"), roles("admin")),
  "Access.owner": method(
    owner({ case: "requestField", value: "name" }),
    access({ case: "public", value: true }),
  ),
  "Owner.request_field": method(
    owner({ case: "requestField", value: "name" }),
    owner({ case: "subject", value: true }),
  ),
  "Owner.response_field": method(
    owner({ case: "responseField", value: "name" }),
    owner({ case: "subject", value: true }),
  ),
  "Owner.subject": method(
    owner({ case: "subject", value: true }),
    owner({ case: "requestField", value: "name" }),
  ),
  "Owner.or_roles": method(
    owner({ case: "subject", value: true }, ["admin"]),
    owner({ case: "subject", value: true }),
  ),
  "Access.service_only": method(access({ case: "serviceOnly", value: true })),
  "MethodPolicy.callers": method({ callers: ["edge", "lending", "readers"] }),
  "MethodPolicy.timeout": method({ timeout: seconds(1) }),
  "MethodPolicy.retry": method({ retry: undefined }),
  "Retry.attempts": method(retry({ attempts: 4 }), retry({})),
  "Retry.per_try_timeout": method(retry({ perTryTimeout: ms(700) })),
  "Retry.base_backoff": method(retry({ baseBackoff: ms(50) })),
  "Retry.max_backoff": method(retry({ maxBackoff: ms(150) })),
  "Retry.codes": method(retry({ codes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"] })),
  "MethodPolicy.breaker": method(breaker({ ratio: 0.75 })),
  "Breaker.ratio": method(breaker({ ratio: 0.75 })),
  "Breaker.minimum_rps": method(breaker({ minimumRps: 9 })),
  "Breaker.window": method(breaker({ window: seconds(20) })),
  "Breaker.open": method(breaker({ open: seconds(2) })),
  "Breaker.max_open": method(breaker({ maxOpen: seconds(9) })),
  "MethodPolicy.concurrency": method({ concurrency: { limit: 600 } }),
  "Concurrency.limit": method({ concurrency: { limit: 700 } }, { concurrency: { limit: 600 } }),
  "Concurrency.queue": method({ concurrency: { queue: 20 } }),
  "MethodPolicy.rate_limit": method(limit({})),
  "RateLimit.requests": method(limit({ requests: 11 }), limit({})),
  "RateLimit.period": method(limit({ period: seconds(2) }), limit({})),
  "RateLimit.burst": method(limit({ burst: 20 }), limit({})),
  "RateLimit.key": method(limit({ key: RateLimit_Key.USER }), limit({})),
  "MethodPolicy.idempotency_key": method({ idempotencyKey: IdempotencyKey.REQUIRED }),
  "MethodPolicy.cache": method({ cache: { maxAge: seconds(60) } }),
  "Cache.max_age": method({ cache: { maxAge: seconds(61) } }, { cache: { maxAge: seconds(60) } }),
  "Cache.shared": method(
    { cache: { maxAge: seconds(60), shared: true } },
    { cache: { maxAge: seconds(60) } },
  ),
  "MethodPolicy.slo": method(slo({})),
  "Slo.availability": method(slo({ availability: 0.98 }), slo({})),
  "Slo.latency": method(slo({ latency: ms(250) }), slo({})),
  "Slo.window": method(slo({ window: seconds(604_800) }), slo({})),
  "MethodPolicy.rest": method({ rest: { successStatus: 202 } }),
  "Rest.success_status": method({ rest: { successStatus: 203 } }, { rest: { successStatus: 202 } }),
  "MethodPolicy.max_request_bytes": method({ maxRequestBytes: 1_000 }),
  "MethodPolicy.importance": method({ importance: Importance.HIGH }),
  "EventPolicy.subject": event({ subject: "library.flips.v1.added" }),
  "EventPolicy.key": event({ key: "shelf" }),
  "EventPolicy.version": event({ version: "version" }),
  "EventPolicy.consumers": event({ consumers: [{ service: "lending" }, { service: "readers" }] }),
  "Consumer.service": event({ consumers: [{ service: "readers" }] }),
  "Consumer.max_deliver": consumer({ maxDeliver: 9 }),
  "Consumer.backoff": consumer({ backoff: [seconds(9)] }),
  "Consumer.ack_wait": consumer({ ackWait: seconds(40) }),
  "Consumer.max_ack_pending": consumer({ maxAckPending: 9 }),
  "FieldPolicy.sensitive": { on: "field", becomes: { sensitive: true } },
};
