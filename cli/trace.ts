/** `weft trace`: traces as a list, or one as a waterfall. */
import { toJson } from "@bufbuild/protobuf";
import {
  type Span,
  Span_Status as Status,
  type Trace,
  TraceSchema,
  type TraceSummary,
  TraceSummarySchema,
} from "#gen/weft/dashboard/v1/traces_pb.ts";
import { dashboardClient, dashboardUsage, readArguments, readNumber } from "./dashboard-client.ts";
import { clock, durationOf, milliseconds, table } from "./print-table.ts";
import { type Command, CommandFailed, type Io, WrongUsage } from "./run-command-line.ts";

/** Characters of the bar that stands for the whole trace. */
const barWidth = 40;

export const trace: Command = {
  name: "trace",
  summary: "traces: lists them, or shows one as a waterfall",
  usage: `usage: weft trace [--service NAME] [--method TEXT] [--errors] [--slower DURATION] [--id ID]
       weft trace ID

ID is that of a trace, its first digits, a request's, or the value of an attribute, such as the id of an order.

  --service NAME     in which this service took part
  --method TEXT      with a span of this name, or a part of it
  --errors           with a failed span
  --slower DURATION  at least this long, such as 250ms
  --id ID            of a request, or with an attribute of this value: the id of anything
  --lines N          the last N that match (default 20)
${dashboardUsage}`,
  async run(args, io) {
    const { values, positionals } = readArguments(args, {
      service: { type: "string", default: "" },
      method: { type: "string", default: "" },
      errors: { type: "boolean", default: false },
      slower: { type: "string", default: "0ms" },
      id: { type: "string", default: "" },
      lines: { type: "string", short: "n", default: "20" },
    });
    const client = dashboardClient(values.data, io.env);
    const limit = readNumber("lines", values.lines, 1, 1_000);
    const [named] = positionals;
    if (named !== undefined) {
      const found = wholeId.test(named) ? [] : (await client.listTraces({ id: named, limit })).traces;
      if (found.length === 0 && !wholeId.test(named)) throw new CommandFailed(`no trace matches "${named}"`);
      if (found.length > 1) return list(found, values.json, io);
      const trace = await client.getTrace({ traceId: found[0]?.traceId ?? named });
      io.out(values.json ? JSON.stringify(toJson(TraceSchema, trace)) : waterfallOf(trace));
      return 0;
    }
    const minDurationMs = durationOf(values.slower);
    if (minDurationMs === undefined) throw new WrongUsage("--slower must be a duration such as 250ms or 2s");
    const { service, method, errors: errorsOnly, id } = values;
    const { traces } = await client.listTraces({ service, method, errorsOnly, id, minDurationMs, limit });
    return list(traces, values.json, io);
  },
};

const wholeId = /^[0-9a-f]{32}$/;

function list(traces: readonly TraceSummary[], json: boolean | undefined, io: Io): number {
  if (json) for (const each of traces) io.out(JSON.stringify(toJson(TraceSummarySchema, each)));
  else if (traces.length === 0) io.err("no trace matches");
  else
    io.out(
      table(
        ["AT", "TRACE", "TOOK", "SPANS", "ERRORS", "STATUS", "NAME"],
        traces.map((each) => [
          clock(each.startedAt),
          each.traceId,
          milliseconds(each.durationMs),
          String(each.spans),
          String(each.errors),
          each.status || "-",
          `${each.service}: ${each.name}`,
        ]),
      ),
    );
  return 0;
}

function waterfallOf({ summary, spans, spansDropped, logLines }: Trace): string {
  const whole = Math.max(summary?.durationMs ?? 0, 0.001);
  const body = table(
    ["SPAN", "SERVICE", "TOOK", "", ""],
    spans.map((span) => [
      `${"  ".repeat(span.depth)}${span.name}`,
      span.service,
      milliseconds(span.durationMs),
      bar(span, whole),
      span.status === Status.FAILED ? `failed: ${span.statusMessage}` : "",
    ]),
  );
  const dropped = spansDropped > 0 ? `\n${spansDropped} more spans were not kept` : "";
  return `${summary?.traceId}  ${milliseconds(summary?.durationMs)}  ${spans.length} spans\n\n${body}${dropped}\n\n${logLines} log lines: weft logs --trace ${summary?.traceId}`;
}

function bar({ offsetMs, durationMs }: Span, whole: number): string {
  const from = Math.min(barWidth - 1, Math.floor((offsetMs / whole) * barWidth));
  const length = Math.max(1, Math.round((durationMs / whole) * barWidth));
  return `${" ".repeat(from)}${"━".repeat(Math.min(length, barWidth - from))}`.padEnd(barWidth);
}
