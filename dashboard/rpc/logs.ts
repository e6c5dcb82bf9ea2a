import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import {
  type ListLogsResponse,
  ListLogsResponseSchema,
  type LogFilter,
  LogLevel,
  type LogLine,
  LogLineSchema,
} from "#gen/weft/dashboard/v1/logs_pb.ts";
import { detailsOf, type StoredLine } from "../sources/log-line.ts";
import type { LineFilter, LogStore } from "../sources/log-store.ts";
import type { Sources } from "../sources/sources.ts";

/** Most lines of one batch of a stream, and the time between two of them in milliseconds. */
const batch = 1_000;
const batchMs = 250;
const defaultLimit = 500;

export function logsRpc({ logs }: Sources, stopping: AbortSignal) {
  return {
    listLogs: ({ filter, after, before, limit }) => {
      const wanted = filterOf(filter);
      const most = limit || defaultLimit;
      return after > 0n
        ? response(logs, logs.forward(wanted, Number(after), most))
        : response(logs, logs.backward(wanted, Number(before), most));
    },
    async *followLogs({ filter, after }, { signal }) {
      const wanted = filterOf(filter);
      const ended = AbortSignal.any([signal, stopping]);
      let seen = after > 0n ? Number(after) : logs.last;
      while (!ended.aborted) {
        const found = logs.forward(wanted, seen, batch);
        seen = found.through;
        if (found.lines.length > 0) yield response(logs, found);
        if (seen >= logs.last) await nextLines(logs, ended);
      }
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

/** Resolves some time after the next lines: those that come together leave together. */
function nextLines(logs: LogStore, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const stop = logs.onLines(() => {
      stop();
      setTimeout(done, batchMs);
    });
    signal.addEventListener("abort", done);
  });
}

function filterOf(filter: LogFilter | undefined): LineFilter {
  return (
    filter ?? {
      processes: [],
      minLevel: LogLevel.LOG_LEVEL_UNSPECIFIED,
      text: "",
      traceId: "",
      requestId: "",
    }
  );
}

function response(
  logs: LogStore,
  { lines, through }: { lines: StoredLine[]; through: number },
): ListLogsResponse {
  const { first, dropped } = logs.range;
  return create(ListLogsResponseSchema, {
    lines: lines.map(lineOf),
    through: BigInt(through),
    first,
    dropped,
  });
}

function lineOf(line: StoredLine): LogLine {
  const { message, spanId, fields } = detailsOf(line);
  return create(LogLineSchema, {
    position: BigInt(line.position),
    time: timestampFromMs(line.time),
    process: line.process,
    level: line.level,
    message,
    traceId: line.traceId,
    spanId,
    requestId: line.requestId,
    fields: fields as JsonObject,
  });
}
