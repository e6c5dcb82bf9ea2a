import { timeForLog } from "#mesh/runtime/telemetry/line-writer.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { CallOutcome, IncomingCall, OnFinish } from "../transcode/admission.ts";

/**
 * One line for each call, with the ids that all its lines in other processes carry. No query, no bodies.
 * Made here and not by the logger, in its form: every call pays for it.
 * @param write takes a line with its line feed; see `lineWriter`
 */
export function logCalls(log: Logger, write: (line: string) => void): OnFinish {
  const service = JSON.stringify(log.bindings().service);
  return (call, outcome) => {
    if (outcome.error?.cause) {
      log.warn({ ...JSON.parse(`{${fieldsOf(call, outcome)}}`), err: outcome.error.cause }, "call");
    } else if (log.isLevelEnabled("info")) {
      write(
        `{"level":"info","time":"${timeForLog()}","service":${service},${fieldsOf(call, outcome)},"msg":"call"}\n`,
      );
    }
  };
}

/** Members of a JSON object. */
function fieldsOf(call: IncomingCall, { code, httpStatus, durationMs }: CallOutcome): string {
  const { metadata, method, route, peer } = call;
  const id = quoted(String(metadata["x-request-id"] ?? call.requestId));
  const traceId = traceIdOf(metadata.traceparent);
  return (
    `"requestId":${id},${traceId ? `"traceId":${quoted(traceId)},` : ""}` +
    `"protocol":"${call.protocol}","rpc":"${method.parent.typeName}/${method.name}",` +
    `"method":${quoted(call.httpMethod)},${route ? `"route":${quoted(route)},` : ""}` +
    `"status":${httpStatus},"code":${code},"ms":${Math.round(durationMs * 10) / 10}` +
    (peer ? `,"peer":${quoted(peer)}` : "")
  );
}

/** Second part of a traceparent; undefined where there is none. */
function traceIdOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== "string") return undefined;
  const start = traceparent.indexOf("-") + 1;
  const end = traceparent.indexOf("-", start);
  return start === 0 || end < 0 ? undefined : traceparent.slice(start, end);
}

/** JSON string; most of what is logged needs no escapes, and the test is cheaper than the escaping. */
const quoted = (text: string): string => (/^[\w\-.:/{}=*]*$/.test(text) ? `"${text}"` : JSON.stringify(text));
