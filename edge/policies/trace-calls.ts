/**
 * Spans of the edge by the semantic conventions for HTTP and RPC: one of the server's kind for each call, and
 * within it one of the client's kind for each try to reach the upstream.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
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

/** The context of a call, on what all parts of the edge have of it: its metadata. HTTP/2 does not see symbols. */
const remembered = Symbol("context");
type Metadata = OutgoingHttpHeaders & { [remembered]?: RequestContext };

/** Keeps the context for the spans of the call; without a trace there is nothing to keep. */
export function rememberTrace(metadata: OutgoingHttpHeaders, context: RequestContext): void {
  if (context.trace) (metadata as Metadata)[remembered] = context;
}

/** Ends the span of each call. */
export function traceFinishedCalls(): OnFinish {
  const types = new Map<DescMethod, Map<string, CallType>>();
  return (call, outcome) => {
    const context = (call.metadata as Metadata)[remembered];
    if (!context?.trace) return;
    const { span, slowMs } = typeOf(types, call);
    context.trace.end(context, span, {
      slowMs,
      more: { "http.response.status_code": outcome.httpStatus || undefined },
      error: isFailure(outcome) ? codeNames[outcome.code] : undefined,
    });
  };
}

/** HTTP servers' spans are errors from status 500 on; a gRPC answer has its failure in its code. */
function isFailure({ code, httpStatus }: CallOutcome): boolean {
  return httpStatus >= 500 || (httpStatus === 200 && isServerFault(code));
}

/** By method and by how it was called: a method may have several routes. */
function typeOf(types: Map<DescMethod, Map<string, CallType>>, call: IncomingCall): CallType {
  const { method, httpMethod, protocol } = call;
  const routes = types.get(method) ?? new Map<string, CallType>();
  types.set(method, routes);
  const route = call.route ?? `/${method.parent.typeName}/${method.name}`;
  const known = routes.get(`${httpMethod} ${route} ${protocol}`);
  if (known) return known;
  const type = callType(method, SpanKind.server);
  const span: SpanType = {
    name: `${httpMethod} ${route}`,
    kind: SpanKind.server,
    attributes: {
      "http.request.method": httpMethod,
      "http.route": route,
      "rpc.method": type.method,
      "weft.protocol": protocol,
    },
  };
  const made = { ...type, span };
  routes.set(`${httpMethod} ${route} ${protocol}`, made);
  return made;
}

/** Adds a span for each call to `service` that leaves, and sends its ids along. */
export function tracedCalls(start: StartCall, service: DescService, peer: string): StartCall {
  const types = new Map(
    service.methods.map((method) => [
      `/${service.typeName}/${method.name}`,
      callType(method, SpanKind.client, { "service.peer.name": peer }),
    ]),
  );
  return (path, metadata, timeoutMs, sink) => {
    const context = (metadata as Metadata)[remembered];
    const type = types.get(path);
    if (!context?.trace || !type) return start(path, metadata, timeoutMs, sink);
    const traced = new TracedSink(sink, context, type);
    const { traceId, traceFlags } = context;
    metadata.traceparent = traceparentOf({ traceId, spanId: traced.spanId, traceFlags });
    return start(path, metadata, timeoutMs, traced);
  };
}

class TracedSink implements CallSink {
  readonly spanId = randomHex(8);
  readonly #startedAt = preciseNow();
  readonly #sink: CallSink;
  readonly #context: RequestContext;
  readonly #type: CallType;

  constructor(sink: CallSink, context: RequestContext, type: CallType) {
    this.#sink = sink;
    this.#context = context;
    this.#type = type;
  }

  onHeaders(metadata: IncomingHttpHeaders): void {
    this.#sink.onHeaders(metadata);
  }

  onData(chunk: Buffer): void {
    this.#sink.onData(chunk);
  }

  onEnd(end: CallEnd): void {
    const code = end.error?.code ?? 0;
    this.#context.trace?.add(this.#type.span, {
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
