import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { CallMetrics, MethodMetrics } from "../telemetry/call-metrics.ts";
import { currentContext, type RequestContext, randomHex, traceparentOf } from "../telemetry/context.ts";
import {
  type CallType,
  callType,
  codeNames,
  codeOf,
  isServerFault,
  statusAttributes,
} from "../telemetry/rpc-spans.ts";
import { preciseNow, SpanKind } from "../telemetry/span.ts";
import { overStream } from "./over-stream.ts";

/** Counts each call; adds a span for it to the trace of the request being served, and sends its ids along. */
export function traceCalls(upstream: string, metrics: CallMetrics): Interceptor {
  const known = new Map<DescMethod, { type: CallType; counts: MethodMetrics }>();
  const observed = (method: DescMethod) => {
    const found = known.get(method);
    if (found) return found;
    const type = callType(method, SpanKind.client, {
      "server.address": upstream,
      "service.peer.name": upstream,
    });
    const made = { type, counts: metrics.of(method) };
    known.set(method, made);
    return made;
  };
  return (next) => async (request) => {
    const { type, counts } = observed(request.method);
    const context = currentContext();
    const span = context?.trace && beginSpan(context);
    if (span) request.header.set("traceparent", span.traceparent);
    const began = performance.now();
    const finish = (error?: unknown) => {
      const code = codeOf(error);
      const took = performance.now() - began;
      counts.record(upstream, code, code !== 0, took);
      if (!span) return;
      context?.trace?.add(type.span, {
        ...span.place,
        more: statusAttributes[code],
        error: code === 0 ? undefined : codeNames[code],
        keep: isServerFault(code) || took > type.slowMs,
      });
    };
    try {
      const reply = await next(request);
      if (reply.stream) return { ...reply, message: overStream(reply.message, { onEnd: finish }) };
      finish();
      return reply;
    } catch (error) {
      finish(error);
      throw error;
    }
  };
}

function beginSpan({ traceId, traceFlags, spanId: parentSpanId }: RequestContext) {
  const spanId = randomHex(8);
  return {
    traceparent: traceparentOf({ traceId, spanId, traceFlags }),
    place: { spanId, parentSpanId, startedAt: preciseNow() },
  };
}
