import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type Interceptor } from "@connectrpc/connect";
import { callerKey } from "../identity/principal.ts";
import type { CallMetrics, MethodMetrics } from "../telemetry/call-metrics.ts";
import { runInContext } from "../telemetry/context.ts";
import { timeForLog } from "../telemetry/line-writer.ts";
import type { Logger } from "../telemetry/log.ts";
import {
  type CallType,
  callType,
  codeNames,
  codeOf,
  isServerFault,
  statusAttributes,
} from "../telemetry/rpc-spans.ts";
import { SpanKind } from "../telemetry/span.ts";
import type { Tracer } from "../telemetry/tracer.ts";
import { keptDeadline } from "./deadline.ts";
import { parseTimeout } from "./grpc/timeout.ts";
import { overStream } from "./over-stream.ts";

/** What observes the calls that are answered. */
export interface CallObservers {
  readonly tracer: Tracer;
  readonly metrics: CallMetrics;
  readonly log: Logger;
  /** Takes a line with its line feed; see `lineWriter`. */
  readonly writeLine: (line: string) => void;
}

/**
 * Opens the request's context from its headers; when the call ends, ends its span, counts it and writes one access
 * log line. The line is made here and not by the logger, in its form: every call pays for it.
 */
export function openContext({ tracer, metrics, log, writeLine }: CallObservers): Interceptor {
  const service = JSON.stringify(log.bindings().service);
  const known = new Map<DescMethod, { type: CallType; counts: MethodMetrics }>();
  const observed = (method: DescMethod) => {
    const found = known.get(method);
    if (found) return found;
    const made = { type: callType(method, SpanKind.server), counts: metrics.of(method) };
    known.set(method, made);
    return made;
  };
  return (next) => (request) => {
    const { header } = request;
    const context = tracer.open(
      { requestId: header.get("x-request-id"), traceparent: header.get("traceparent") },
      {
        deadline: request.contextValues.get(keptDeadline)?.at ?? deadlineFrom(header),
        authorization: header.get("authorization") ?? undefined,
      },
    );
    const { type, counts } = observed(request.method);
    const startedAt = performance.now();
    const finish = (error?: unknown) => {
      const status = codeOf(error);
      const isFault = isServerFault(status);
      const took = performance.now() - startedAt;
      // By now it is known who calls, unless the call was refused before.
      counts.record(request.contextValues.get(callerKey), status, isFault, took);
      context.trace?.end(context, type.span, {
        slowMs: type.slowMs,
        more: statusAttributes[status],
        error: isFault ? codeNames[status] : undefined,
      });
      if (!log.isLevelEnabled("info")) return;
      const code = status === 0 ? "ok" : Code[status];
      const ms = Math.round(took * 10) / 10;
      writeLine(
        `{"level":"info","time":"${timeForLog()}","service":${service},"requestId":"${context.requestId}",` +
          `"traceId":"${context.traceId}","spanId":"${context.spanId}","rpc":"${type.method}",` +
          `"code":"${code}","ms":${ms},"msg":"rpc"}\n`,
      );
    };
    return runInContext(context, async () => {
      try {
        const reply = await next(request);
        if (!reply.stream) {
          finish();
          return reply;
        }
        return { ...reply, message: overStream(reply.message, { context, onEnd: finish }) };
      } catch (error) {
        finish(error);
        throw error;
      }
    });
  };
}

/** Milliseconds since 1970; undefined without a valid timeout, which the protocol's handler refuses by itself. */
function deadlineFrom(header: Headers): number | undefined {
  const grpc = header.get("grpc-timeout");
  const connect = header.get("connect-timeout-ms");
  try {
    if (grpc !== null) return Date.now() + parseTimeout(grpc);
    if (connect !== null) return Date.now() + parseTimeout(`${connect}m`);
  } catch {}
  return undefined;
}
