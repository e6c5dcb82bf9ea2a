import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { currentContext, randomHex, traceparentOf } from "../telemetry/context.ts";
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

/** Adds a span for each call to the trace of the request being served, and sends its ids along. */
export function traceCalls(upstream: string): Interceptor {
  const types = new Map<DescMethod, CallType>();
  const typeOf = (method: DescMethod): CallType => {
    const type = types.get(method) ?? callType(method, SpanKind.client, { "service.peer.name": upstream });
    types.set(method, type);
    return type;
  };
  return (next) => async (request) => {
    const context = currentContext();
    const trace = context?.trace;
    if (!trace) return next(request);
    const type = typeOf(request.method);
    const spanId = randomHex(8);
    const startedAt = preciseNow();
    const { traceId, traceFlags } = context;
    request.header.set("traceparent", traceparentOf({ traceId, spanId, traceFlags }));
    const finish = (error?: unknown) => {
      const code = codeOf(error);
      trace.add(type.span, {
        spanId,
        parentSpanId: context.spanId,
        startedAt,
        more: statusAttributes[code],
        error: code === 0 ? undefined : codeNames[code],
        keep: isServerFault(code) || preciseNow() - startedAt > type.slowMs,
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
