/** `weft logs`: log lines of all processes. */
import { styleText } from "node:util";
import { enumToJson, toJson } from "@bufbuild/protobuf";
import { LogLevel, LogLevelSchema, type LogLine, LogLineSchema } from "#gen/weft/dashboard/v1/logs_pb.ts";
import { dashboardClient, dashboardUsage, readArguments, readNumber } from "./dashboard-client.ts";
import { clock } from "./print-table.ts";
import { type Command, type Io, WrongUsage } from "./run-command-line.ts";

const levels = ["trace", "debug", "info", "warn", "error", "fatal"];

export const logs: Command = {
  name: "logs",
  summary: "log lines of all processes: filters, follows",
  usage: `usage: weft logs [PROCESS ...] [--follow]

  --follow           and then each new line
  --lines N          the last N lines that match (default 50)
  --level LEVEL      at least this grave: ${levels.join(", ")}
  --text TEXT        with this text, in any case
  --trace ID         of this trace
  --request ID       of this request
${dashboardUsage}`,
  words: ["edge", "postgres", "nats", "dashboard"],
  async run(args, io) {
    const { values, positionals: processes } = readArguments(args, {
      follow: { type: "boolean", short: "f" },
      lines: { type: "string", short: "n", default: "50" },
      level: { type: "string", default: "" },
      text: { type: "string", default: "" },
      trace: { type: "string", default: "" },
      request: { type: "string", default: "" },
    });
    if (values.level !== "" && !levels.includes(values.level))
      throw new WrongUsage(`--level must be one of ${levels.join(", ")}`);
    const filter = {
      processes,
      minLevel: LogLevel[(values.level.toUpperCase() || "LOG_LEVEL_UNSPECIFIED") as keyof typeof LogLevel],
      text: values.text,
      traceId: values.trace,
      requestId: values.request,
    };
    const print = (line: LogLine) =>
      io.out(values.json ? JSON.stringify(toJson(LogLineSchema, line)) : lineFor(line, io));
    const client = dashboardClient(values.data, io.env);
    const found = await client.listLogs({ filter, limit: readNumber("lines", values.lines, 1, 5_000) });
    found.lines.forEach(print);
    if (!values.follow) {
      if (found.lines.length === 0) io.err("no line matches");
      return 0;
    }
    for await (const batch of client.followLogs({ filter, after: found.through })) batch.lines.forEach(print);
    return 0;
  },
};

function lineFor(line: LogLine, io: Io): string {
  const { level } = line;
  const name =
    level === LogLevel.LOG_LEVEL_UNSPECIFIED ? "" : String(enumToJson(LogLevelSchema, level)).toLowerCase();
  const colour = level >= LogLevel.ERROR ? "red" : level === LogLevel.WARN ? "yellow" : undefined;
  const shown = colour && io.terminal ? styleText(colour, name.padEnd(5)) : name.padEnd(5);
  const { service, pid, hostname, ...fields } = line.fields ?? {};
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const trace = line.traceId ? [`trace=${line.traceId}`] : [];
  return [clock(line.time), line.process.padEnd(9), shown, line.message, ...rest, ...trace].join(" ");
}
