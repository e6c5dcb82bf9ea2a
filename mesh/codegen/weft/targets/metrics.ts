/**
 * Names of what processes measure, as Prometheus has them: OpenTelemetry's semantic conventions for RPC
 * (opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics), HTTP, databases and Node.js, and the kit's own for the rest.
 * mesh/runtime/telemetry/README.md lists what there is.
 */
export const metrics = {
  /** Histogram of a server's calls in seconds: add _count, _sum or _bucket. */
  serverCalls: "rpc_server_call_duration_seconds",
  /** Histogram of a client's calls in seconds. */
  clientCalls: "rpc_client_call_duration_seconds",
  outboxUnpublished: "weft_outbox_unpublished",
  outboxOldestSeconds: "weft_outbox_oldest_seconds",
  deadLetters: "weft_dead_letters",
  consumerPending: "weft_consumer_pending",
  consumerDeliveries: "weft_consumer_deliveries_total",
  /** Histogram of the requests to the edge in seconds. */
  edgeRequests: "http_server_request_duration_seconds",
  eventLoopDelay: "nodejs_eventloop_delay_p99_seconds",
  eventLoopBusy: "nodejs_eventloop_utilization_ratio",
  cpuSeconds: "process_cpu_time_seconds_total",
  memoryBytes: "process_memory_usage_bytes",
  poolConnections: "db_client_connection_count",
  poolWaiting: "db_client_connection_pending_requests",
  breakerState: "weft_breaker_state",
  breakerRejected: "weft_breaker_rejected_total",
  spans: "weft_spans_total",
} as const;

export const labels = {
  /** "pkg.v1.Service/Method" */
  method: "rpc_method",
  /** "OK", "UNAVAILABLE", ... */
  code: "rpc_response_status_code",
} as const;

/** Upper bounds of the histograms' buckets in seconds: the conventions' advice. */
export const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Codes that are the server's fault, not its caller's (semantic conventions for gRPC). */
export const SERVER_FAULTS = [
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
] as const;
