/**
 * What the edge records of calls, by the semantic conventions for HTTP and RPC: a span of the server's kind and a
 * duration for each call, and within it the same of the client's kind for each try to reach the upstream.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { CallMetrics, MethodMetrics } from "#mesh/runtime/telemetry/call-metrics.ts";
import { type RequestContext, randomHex, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import {
  type CallType,
  callType,
  codeNames,
  isServerFault,
  statusAttributes,
} from "#mesh/runtime/telemetry/rpc-spans.ts";
import { preciseNow, SpanKind, type SpanType } from "#mesh/runtime/telemetry/span.ts";
import type { CallOutcome, IncomingCall, OnFinish } from "../transcode/admission.ts";
import type { CallEnd } from "../transcode/grpc-status.ts";
import type { CallSink, StartCall } from "../transcode/upstream-call.ts";
import type { RequestMetrics, RouteMetrics } from "./request-metrics.ts";

/** The context of a call, on what all parts of the edge have of it: its metadata. HTTP/2 does not see symbols. */
const remembered = Symbol("context");
type Metadata = OutgoingHttpHeaders & { [remembered]?: RequestContext };

/** Keeps the context for the spans of the call; without a trace there is nothing to keep. */
export function rememberTrace(metadata: OutgoingHttpHeaders, context: RequestContext): void {
  if (context.trace) (metadata as Metadata)[remembered] = context;
}

/** Ends the span of each call, and counts it. */
export function observeFinishedCalls(requests: RequestMetrics): OnFinish {
  const known = new Map<DescMethod, Way[]>();
  return (call, outcome) => {
    const way = wayOf(known, requests, call);
    way.requests.record(outcome.httpStatus, outcome.durationMs);
    const context = (call.metadata as Metadata)[remembered];
    context?.trace?.end(context, way.span, {
      slowMs: way.slowMs,
      more: { "http.response.status_code": outcome.httpStatus || undefined },
      error: isFailure(outcome) ? codeNames[outcome.code] : undefined,
    });
  };
}

/** HTTP servers' spans are errors from status 500 on; a gRPC answer has its failure in its code. */
function isFailure({ code, httpStatus }: CallOutcome): boolean {
  return httpStatus >= 500 || (httpStatus === 200 && isServerFault(code));
}

/** One of the ways to call a method: a route of REST, or a protocol of the gRPC family. */
interface Way extends CallType {
  readonly httpMethod: string;
  readonly route: string | undefined;
  readonly protocol: string;
  readonly requests: RouteMetrics;
}

/** A method has few ways, so they are looked through. */
function wayOf(known: Map<DescMethod, Way[]>, requests: RequestMetrics, call: IncomingCall): Way {
  const { method, httpMethod, protocol, route } = call;
  const ways = known.get(method) ?? [];
  if (ways.length === 0) known.set(method, ways);
  for (const way of ways) {
    if (way.route === route && way.protocol === protocol && way.httpMethod === httpMethod) return way;
  }
  const type = callType(method, SpanKind.server);
  const template = route ?? `/${type.method}`;
  const span: SpanType = {
    name: `${httpMethod} ${template}`,
    kind: SpanKind.server,
    attributes: {
      "http.request.method": httpMethod,
      "http.route": template,
      "rpc.method": type.method,
      "weft.protocol": protocol,
    },
  };
  const made = {
    ...type,
    span,
    httpMethod,
    route,
    protocol,
    requests: requests.of(httpMethod, template, type.method),
  };
  ways.push(made);
  return made;
}

/** What is known of the calls to one method of an upstream. */
interface Upstream extends CallType {
  readonly peer: string;
  readonly counts: MethodMetrics;
}

/** Counts each call to `service` that leaves, adds a span for it, and sends its ids along. */
export function observedCalls(
  start: StartCall,
  service: DescService,
  peer: string,
  metrics: CallMetrics,
): StartCall {
  const upstreams = new Map<string, Upstream>(
    service.methods.map((method) => {
      const type = callType(method, SpanKind.client, { "server.address": peer, "service.peer.name": peer });
      return [`/${type.method}`, { ...type, peer, counts: metrics.of(method) }];
    }),
  );
  return (path, metadata, timeoutMs, sink) => {
    const upstream = upstreams.get(path);
    if (!upstream) return start(path, metadata, timeoutMs, sink);
    const context = (metadata as Metadata)[remembered];
    const observed = new ObservedSink(sink, context, upstream);
    if (context) {
      const { traceId, traceFlags } = context;
      metadata.traceparent = traceparentOf({ traceId, spanId: observed.spanId, traceFlags });
    }
    return start(path, metadata, timeoutMs, observed);
  };
}

class ObservedSink implements CallSink {
  readonly spanId: string;
  readonly #startedAt = preciseNow();
  readonly #sink: CallSink;
  readonly #context: RequestContext | undefined;
  readonly #upstream: Upstream;

  constructor(sink: CallSink, context: RequestContext | undefined, upstream: Upstream) {
    this.spanId = context ? randomHex(8) : "";
    this.#sink = sink;
    this.#context = context;
    this.#upstream = upstream;
  }

  onHeaders(metadata: IncomingHttpHeaders): void {
    this.#sink.onHeaders(metadata);
  }

  onData(chunk: Buffer): void {
    this.#sink.onData(chunk);
  }

  onEnd(end: CallEnd): void {
    const code = end.error?.code ?? 0;
    const { counts, peer, span } = this.#upstream;
    counts.record(peer, code, code !== 0, preciseNow() - this.#startedAt);
    this.#context?.trace?.add(span, {
      spanId: this.spanId,
      parentSpanId: this.#context.spanId,
      startedAt: this.#startedAt,
      more: statusAttributes[code],
      error: code === 0 ? undefined : codeNames[code],
      keep: isServerFault(code),
    });
    this.#sink.onEnd(end);
  }
}
