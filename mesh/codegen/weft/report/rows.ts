/**
 * Every option of policy.proto and what each target makes of it. coverage.test.ts walks the descriptors: an option
 * without a row, or a row without a target, fails the build. `rest` stands for the targets that are not named.
 */
import type { TargetName } from "../targets/targets.ts";
import { type Cell, nearly, process, yes } from "./cell.ts";

export type Row = Partial<Record<TargetName, Cell>> & { readonly rest: Cell };

const documented = { docs: yes("page of the service") };
const inProcess: Row = { ...documented, rest: process };
const everywhere = (by: string): Row => ({ ...documented, rest: yes(by) });

/** Meshes know a token by its signature, issuer, audience and times, and not by its type or whether it was revoked. */
const users: Row = {
  ...documented,
  "istio-sidecar": nearly(
    "RequestAuthentication, and requestPrincipals in AuthorizationPolicy: who shows no token gets PERMISSION_DENIED; type and revocation of a token are checked by the process",
  ),
  "istio-ambient": nearly("the same as with sidecars, at the waypoint"),
  envoy: nearly("jwt_authn, and a claim in rbac; type and revocation of a token are checked by the process"),
  rest: process,
};
const roles: Row = {
  ...documented,
  "istio-sidecar": yes("when: request.auth.claims[roles]"),
  "istio-ambient": yes("when: request.auth.claims[roles]"),
  envoy: yes("claim roles in rbac"),
  rest: process,
};
const withoutUser: Row = {
  ...documented,
  "istio-sidecar": yes("no user is asked for"),
  "istio-ambient": yes("no user is asked for"),
  envoy: yes("no user is asked for"),
  rest: process,
};
const owner: Row = {
  ...documented,
  "istio-sidecar": nearly("asks for a user; whose it is, the process checks"),
  "istio-ambient": nearly("asks for a user; whose it is, the process checks"),
  envoy: nearly("asks for a user; whose it is, the process checks"),
  rest: process,
};
const ratio = nearly("failures in a row that make the ratio at the smallest volume; ejects single replicas");
const unavailable = "a client without a deadline of its own hears UNAVAILABLE";
const window = nearly("interval at which ejected replicas are looked at");

export const rows: Readonly<Record<string, Row>> = {
  "ServicePolicy.name": everywhere("name of every resource"),
  "ServicePolicy.defaults": everywhere("merged into each method"),

  "Access.public": withoutUser,
  "Access.signed_in": users,
  "Access.roles": roles,
  "Roles.any_of": roles,
  "Access.owner": owner,
  "Owner.request_field": owner,
  "Owner.response_field": owner,
  "Owner.subject": owner,
  "Owner.or_roles": owner,
  "Access.service_only": withoutUser,

  "MethodPolicy.access": users,
  "MethodPolicy.callers": {
    ...documented,
    "istio-sidecar": yes("principals and paths in AuthorizationPolicy"),
    "istio-ambient": yes("principals and paths in AuthorizationPolicy with targetRefs"),
    linkerd: yes("inbound HTTPRoute, AuthorizationPolicy, MeshTLSAuthentication"),
    kubernetes: nearly("NetworkPolicy: callers of any method reach the port"),
    envoy: nearly('rbac; "*" admits whoever has a certificate of the mesh'),
    rest: process,
  },
  "MethodPolicy.timeout": {
    ...documented,
    "istio-sidecar": nearly(`VirtualService timeout; ${unavailable}`),
    "istio-ambient": nearly(`HTTPRoute timeouts.request; ${unavailable}`),
    linkerd: yes("timeout.linkerd.io/request"),
    envoy: yes("route timeout"),
    "grpc-service-config": yes("timeout"),
    slo: nearly("latency of the objective where none is given"),
    rest: process,
  },
  "MethodPolicy.retry": {
    ...documented,
    "istio-sidecar": yes("VirtualService retries; none is attempts: 0"),
    "istio-ambient": nearly("HTTPRoute retry, experimental channel; none needs istiod-values.yaml"),
    linkerd: yes("annotations of a GRPCRoute for each method"),
    envoy: yes("retry_policy"),
    "grpc-service-config": yes("retryPolicy"),
    rest: process,
  },
  "Retry.attempts": {
    ...documented,
    "istio-sidecar": yes("retries.attempts, less the first"),
    "istio-ambient": yes("retry.attempts, less the first"),
    linkerd: yes("retry.linkerd.io/limit, less the first"),
    envoy: yes("num_retries, less the first"),
    "grpc-service-config": yes("maxAttempts"),
    rest: process,
  },
  "Retry.per_try_timeout": {
    ...documented,
    "istio-sidecar": yes("perTryTimeout"),
    "istio-ambient": nearly("timeouts.backendRequest, where UNAVAILABLE is retried"),
    linkerd: yes("retry.linkerd.io/timeout"),
    envoy: nearly(
      "per_try_timeout; a last try that takes too long is DEADLINE_EXCEEDED, in processes UNAVAILABLE",
    ),
    rest: process,
  },
  "Retry.base_backoff": {
    ...documented,
    "istio-sidecar": yes("retries.backoff"),
    "istio-ambient": yes("retry.backoff"),
    envoy: yes("retry_back_off.base_interval"),
    "grpc-service-config": yes("initialBackoff"),
    rest: process,
  },
  "Retry.max_backoff": {
    ...documented,
    "istio-sidecar": nearly("ten times the base, Envoy's default"),
    "istio-ambient": nearly("ten times the base, Envoy's default"),
    envoy: yes("retry_back_off.max_interval"),
    "grpc-service-config": yes("maxBackoff"),
    rest: process,
  },
  "Retry.codes": {
    ...documented,
    "istio-sidecar": nearly("retryOn, five codes; the gateway's process retries on the others"),
    "istio-ambient": nearly("UNAVAILABLE and CANCELLED always together; the process retries on the others"),
    linkerd: nearly("retry.linkerd.io/grpc, five codes; the gateway's process retries on the others"),
    envoy: nearly("retry_on, five codes; the gateway's process retries on the others"),
    "grpc-service-config": yes("retryableStatusCodes"),
    rest: process,
  },
  "MethodPolicy.breaker": {
    ...documented,
    "istio-sidecar": nearly("outlierDetection, replica by replica"),
    "istio-ambient": nearly("outlierDetection, one for all methods of the service"),
    linkerd: nearly("failure accrual, one for all methods of the service"),
    envoy: nearly("outlier_detection, replica by replica"),
    rest: process,
  },
  "Breaker.ratio": {
    ...documented,
    "istio-sidecar": ratio,
    "istio-ambient": ratio,
    linkerd: yes("failure-accrual-success-rate-threshold"),
    envoy: yes("failure_percentage_threshold"),
    rest: process,
  },
  "Breaker.minimum_rps": {
    ...documented,
    "istio-sidecar": ratio,
    "istio-ambient": ratio,
    linkerd: yes("failure-accrual-success-rate-min-requests"),
    envoy: yes("failure_percentage_request_volume"),
    rest: process,
  },
  "Breaker.window": {
    ...documented,
    "istio-sidecar": window,
    "istio-ambient": window,
    linkerd: yes("failure-accrual-success-rate-window"),
    envoy: yes("interval"),
    rest: process,
  },
  "Breaker.open": {
    ...documented,
    "istio-sidecar": yes("baseEjectionTime"),
    "istio-ambient": yes("baseEjectionTime"),
    linkerd: yes("failure-accrual-consecutive-min-penalty"),
    envoy: yes("base_ejection_time"),
    rest: process,
  },
  "Breaker.max_open": {
    ...documented,
    "istio-sidecar": nearly("300 s, Envoy's default"),
    "istio-ambient": nearly("300 s, Envoy's default"),
    linkerd: yes("failure-accrual-consecutive-max-penalty"),
    envoy: yes("max_ejection_time"),
    rest: process,
  },
  "MethodPolicy.concurrency": {
    ...documented,
    "istio-sidecar": nearly("connectionPool, for each proxy and callee; what is too much is UNAVAILABLE"),
    "istio-ambient": nearly(
      "connectionPool of the waypoint, one for all methods of the service; what is too much is UNAVAILABLE",
    ),
    envoy: nearly("circuit_breakers, for each proxy and callee"),
    rest: process,
  },
  "Concurrency.limit": {
    ...documented,
    "istio-sidecar": yes("http2MaxRequests, by subset where methods differ"),
    "istio-ambient": nearly("http2MaxRequests, the widest of the service's methods"),
    envoy: yes("max_requests, by cluster where methods differ"),
    rest: process,
  },
  "Concurrency.queue": {
    ...documented,
    "istio-sidecar": nearly("http1MaxPendingRequests: waiting for a connection"),
    "istio-ambient": nearly("http1MaxPendingRequests: waiting for a connection"),
    envoy: nearly("max_pending_requests: waiting for a connection"),
    rest: process,
  },
  // The gateway counts for all replicas together; a proxy could count for itself only.
  "MethodPolicy.rate_limit": inProcess,
  "RateLimit.requests": inProcess,
  "RateLimit.period": inProcess,
  "RateLimit.burst": inProcess,
  "RateLimit.key": inProcess,
  "MethodPolicy.idempotency_key": inProcess,
  "MethodPolicy.cache": inProcess,
  "Cache.max_age": inProcess,
  "Cache.shared": inProcess,
  "MethodPolicy.slo": {
    ...documented,
    slo: yes("recording rules, alerts, unit tests"),
    grafana: nearly("panel of the bad share, as the recording rules give it"),
    rest: process,
  },
  "Slo.availability": { ...documented, slo: yes("threshold of the alerts"), rest: process },
  "Slo.latency": {
    ...documented,
    slo: nearly("the largest bound of the histogram within it; exact where it is the timeout"),
    rest: process,
  },
  "Slo.window": { ...documented, slo: yes("windows of the alerts, scaled from 30 days"), rest: process },
  "MethodPolicy.rest": inProcess,
  "Rest.success_status": inProcess,
  "MethodPolicy.max_request_bytes": {
    ...documented,
    "grpc-service-config": yes("maxRequestMessageBytes"),
    rest: process,
  },
  "MethodPolicy.importance": inProcess,

  "EventPolicy.subject": {
    ...documented,
    kubernetes: yes("rights of the bus user, and the trigger of its reader's scaling"),
    rest: process,
  },
  "EventPolicy.key": inProcess,
  "EventPolicy.version": { rest: process },
  "EventPolicy.consumers": {
    ...documented,
    kubernetes: yes("rights of the bus user; ScaledObject on what waits"),
    grafana: yes("a consumer of the event dashboard"),
    rest: process,
  },
  "Consumer.service": {
    ...documented,
    kubernetes: yes("rights of the bus user; ScaledObject on what waits"),
    grafana: yes("a consumer of the event dashboard"),
    rest: process,
  },
  "Consumer.max_deliver": inProcess,
  "Consumer.backoff": inProcess,
  "Consumer.ack_wait": inProcess,
  "Consumer.max_ack_pending": { kubernetes: nearly("lagThreshold is four times it"), rest: process },

  "FieldPolicy.sensitive": { rest: process },
};
