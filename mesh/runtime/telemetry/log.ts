import { type Logger, pino } from "pino";
import { currentContext } from "./context.ts";
import { errorForLog } from "./log-error.ts";

export type { Logger } from "pino";

/**
 * JSON log lines on stdout, each with service, request id, trace id and span id. Values under names that
 * usually hold secrets are cut, as a second lock behind the rule never to log them.
 *
 * @param level one of pino's levels, "info" by default
 */
export function createLogger(service: string, level = "info"): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: errorForLog },
    redact: {
      paths: [
        "authorization",
        "password",
        "token",
        "*.authorization",
        "*.password",
        "*.token",
        "*.refreshToken",
      ],
      censor: "[redacted]",
    },
    mixin: () => {
      const context = currentContext();
      return context
        ? { requestId: context.requestId, traceId: context.traceId, spanId: context.spanId }
        : {};
    },
  });
}
