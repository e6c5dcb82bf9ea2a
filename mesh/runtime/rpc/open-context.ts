import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { contextFromHeaders, runInContext } from "../telemetry/context.ts";
import type { Logger } from "../telemetry/log.ts";
import { overStream } from "./over-stream.ts";

/** Opens the request's context from its headers, and writes one access log line when the call ends. */
export function openContext(log: Logger): Interceptor {
  return (next) => async (request) => {
    const context = contextFromHeaders(
      { requestId: request.header.get("x-request-id"), traceparent: request.header.get("traceparent") },
      {
        deadline: deadlineOf(request.header.get("grpc-timeout") ?? connectTimeout(request.header)),
        authorization: request.header.get("authorization") ?? undefined,
      },
    );
    const startedAt = performance.now();
    const rpc = `${request.service.typeName}/${request.method.name}`;
    const finish = (error?: unknown) => {
      const code = error === undefined ? "ok" : Code[ConnectError.from(error).code];
      const line = { rpc, code, ms: Math.round((performance.now() - startedAt) * 10) / 10 };
      runInContext(context, () => log.info(line, "rpc"));
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

const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds since 1970 for a header grpc-timeout ("1S", "250m"); undefined without a valid one. */
function deadlineOf(timeout: string | null): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(timeout ?? "");
  return match ? Date.now() + Number(match[1]) * (unitMs[match[2] as string] as number) : undefined;
}

function connectTimeout(header: Headers): string | null {
  const milliseconds = header.get("connect-timeout-ms");
  return milliseconds && /^\d{1,8}$/.test(milliseconds) ? `${milliseconds}m` : null;
}
