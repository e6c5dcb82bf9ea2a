import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { OnFinish } from "../transcode/admission.ts";

/** One line for each call, with the ids that all its lines in other processes carry. No query, no bodies. */
export function logCalls(log: Logger): OnFinish {
  return (call, { code, httpStatus, durationMs, error }) => {
    const line = {
      requestId: call.metadata["x-request-id"] ?? call.requestId,
      traceId: String(call.metadata.traceparent ?? "").split("-")[1],
      protocol: call.protocol,
      rpc: `${call.method.parent.typeName}/${call.method.name}`,
      method: call.httpMethod,
      route: call.route,
      status: httpStatus,
      code,
      ms: Math.round(durationMs * 10) / 10,
      peer: call.peer,
    };
    if (error?.cause) log.warn({ ...line, err: error.cause }, "call");
    else log.info(line, "call");
  };
}
