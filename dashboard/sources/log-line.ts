/** A line as a process wrote it → what is kept of it. */
import { LogLevel } from "#gen/weft/dashboard/v1/logs_pb.ts";

/** A line that is kept. What is rarely asked for is read from `text` again. */
export interface StoredLine {
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly process: string;
  /** Who wrote it, where a process is several services. */
  readonly service: string;
  readonly level: LogLevel;
  readonly traceId: string;
  readonly requestId: string;
  /** As written, without line feed; cut after `longestLine` characters. */
  readonly text: string;
}

const longestLine = 8_192;
const levels: Readonly<Record<string, LogLevel>> = {
  trace: LogLevel.TRACE,
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
  fatal: LogLevel.FATAL,
};

/** Levels as PostgreSQL ("LOG:", "ERROR:") and nats-server ("[INF]", "[ERR]") write them. */
const serverLevels: readonly [RegExp, LogLevel][] = [
  [/ (FATAL|PANIC): |\[FTL\]/, LogLevel.FATAL],
  [/ ERROR: |\[ERR\]/, LogLevel.ERROR],
  [/ WARNING: |\[WRN\]/, LogLevel.WARN],
  [/ LOG: |\[INF\]/, LogLevel.INFO],
  [/\[DBG\]/, LogLevel.DEBUG],
];

/** @param readAt milliseconds since 1970; the time of a line that says none */
export function parseLine(process: string, line: string, readAt: number): Omit<StoredLine, "position"> {
  const text = line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
  const json = text.startsWith("{") ? parseJson(line) : undefined;
  if (!json) {
    const level = serverLevels.find(([pattern]) => pattern.test(text))?.[1] ?? LogLevel.LOG_LEVEL_UNSPECIFIED;
    return { time: readAt, process, service: "", level, traceId: "", requestId: "", text };
  }
  const time = Date.parse(textOf(json.time));
  return {
    time: Number.isNaN(time) ? readAt : time,
    process,
    service: textOf(json.service),
    level: levels[textOf(json.level)] ?? LogLevel.LOG_LEVEL_UNSPECIFIED,
    traceId: textOf(json.traceId),
    requestId: textOf(json.requestId),
    text,
  };
}

/** Message, and everything else that a JSON line has beside what the list shows anyway. */
export function detailsOf(line: StoredLine): {
  message: string;
  spanId: string;
  fields: Record<string, unknown>;
} {
  const json = line.text.startsWith("{") ? parseJson(line.text) : undefined;
  if (!json) return { message: line.text, spanId: "", fields: {} };
  const { msg, spanId, time, level, traceId, requestId, ...fields } = json;
  return { message: textOf(msg), spanId: textOf(spanId), fields };
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined; // cut, or of a process that died while it wrote
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
