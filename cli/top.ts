/** `weft top`: traffic, second by second. */
import { toJson } from "@bufbuild/protobuf";
import { type Tick, TickSchema } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { TopologyEdge_Kind as Kind } from "#gen/weft/dashboard/v1/topology_pb.ts";
import { dashboardClient, dashboardUsage, readArguments, readNumber } from "./dashboard-client.ts";
import { bytes, milliseconds, percent, rate, table } from "./print-table.ts";
import type { Command } from "./run-command-line.ts";
import { processTable } from "./status.ts";

/** Clears the screen and goes to its top (ECMA-48). */
const home = "\x1b[H\x1b[2J";

export const top: Command = {
  name: "top",
  summary: "traffic and processes, second by second",
  usage: `usage: weft top [--ticks N]

  --ticks N          end after N seconds (default: on a terminal never, elsewhere after one)
${dashboardUsage}`,
  async run(args, io) {
    const { values } = readArguments(args, { ticks: { type: "string" } });
    const endless = values.ticks === undefined && io.terminal;
    const wanted = endless ? Number.POSITIVE_INFINITY : readNumber("ticks", values.ticks ?? "1", 1, 86_400);
    let shown = 0;
    const client = dashboardClient(values.data, io.env);
    // Without traffic figures of two looks there is nothing to show: the first tick may be an old one.
    for await (const tick of client.watchTicks({})) {
      if (values.json) io.out(JSON.stringify(toJson(TickSchema, tick)));
      else io.out(`${io.terminal ? home : ""}${screen(tick)}`);
      if (++shown >= wanted) break;
    }
    return 0;
  },
};

function screen({
  point,
  edges,
  processes,
  consumers,
  openDeadLetters,
  unpublishedEvents,
  faults,
  problems,
}: Tick): string {
  const calls = edges.filter(({ kind }) => kind === Kind.CALLS);
  const lines = [
    `in ${rate(point?.rate)}  success ${percent(point?.success)}  p50 ${milliseconds(point?.p50Ms)}  p95 ${milliseconds(point?.p95Ms)}  p99 ${milliseconds(point?.p99Ms)}`,
    `cpu ${point?.cpuCores?.toFixed(2) ?? "-"} cores  memory ${bytes(point?.memoryBytes)}  events ${rate(point?.eventRate)}  waiting ${consumers.reduce((sum, { pending }) => sum + pending, 0n)}  outbox ${unpublishedEvents ?? "-"}  dead letters ${openDeadLetters ?? "-"}`,
    ...faults.map(({ method }) => `fault injected: ${method}`),
    ...problems,
    "",
    calls.length === 0
      ? "no calls in the last 10 seconds"
      : table(
          ["CALLER", "CALLEE", "METHOD", "RATE", "SUCCESS", "P50", "P95", "P99"],
          calls.flatMap(({ from, to, parts }) =>
            parts.map(({ name, traffic }) => [
              from,
              to,
              name.slice(name.lastIndexOf(".") + 1),
              rate(traffic?.rate),
              percent(traffic?.success),
              milliseconds(traffic?.p50Ms),
              milliseconds(traffic?.p95Ms),
              milliseconds(traffic?.p99Ms),
            ]),
          ),
        ),
    "",
    processTable(processes),
  ];
  return lines.join("\n");
}
