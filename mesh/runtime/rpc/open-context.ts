import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { contextFromHeaders, runInContext } from "../telemetry/context.ts";
import { timeForLog } from "../telemetry/line-writer.ts";
import type { Logger } from "../telemetry/log.ts";
import { keptDeadline } from "./deadline.ts";
import { parseTimeout } from "./grpc/timeout.ts";
import { overStream } from "./over-stream.ts";

/**
 * Opens the request's context from its headers, and writes one access log line when the call ends. The line
 * is made here and not by the logger, in its form: every call pays for it.
 *
 * @param write takes a line with its line feed; see `lineWriter`
 */
export function openContext(log: Logger, write: (line: string) => void): Interceptor {
  const service = JSON.stringify(log.bindings().service);
  return (next) => async (request) => {
    const { header } = request;
    const context = contextFromHeaders(
      { requestId: header.get("x-request-id"), traceparent: header.get("traceparent") },
      {
        deadline: request.contextValues.get(keptDeadline)?.at ?? deadlineFrom(header),
        authorization: header.get("authorization") ?? undefined,
      },
    );
    const startedAt = performance.now();
    const finish = (error?: unknown) => {
      if (!log.isLevelEnabled("info")) return;
      const code = error === undefined ? "ok" : Code[ConnectError.from(error).code];
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      write(
        `{"level":"info","time":"${timeForLog()}","service":${service},"requestId":"${context.requestId}",` +
          `"traceId":"${context.traceId}","rpc":"${request.service.typeName}/${request.method.name}",` +
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
