/** `weft status`: what runs, and how it is. */
import { enumToJson, toJson } from "@bufbuild/protobuf";
import {
  type Process,
  Process_StateSchema,
  ProcessSchema,
  Process_State as State,
} from "#gen/weft/dashboard/v1/processes_pb.ts";
import { dashboardClient, dashboardUsage, readArguments } from "./dashboard-client.ts";
import { bytes, since, table } from "./print-table.ts";
import type { Command } from "./run-command-line.ts";

export const status: Command = {
  name: "status",
  summary: "what runs, and how it is",
  usage: `usage: weft status

Fails (exit code 1) when a process is not ready.

${dashboardUsage}`,
  async run(args, io) {
    const { values } = readArguments(args, {});
    const { processes } = await dashboardClient(values.data, io.env).listProcesses({});
    if (values.json) for (const process of processes) io.out(JSON.stringify(toJson(ProcessSchema, process)));
    else io.out(processTable(processes));
    const wrong = processes.filter(({ state }) => state !== State.READY);
    if (wrong.length > 0) io.err(`not ready: ${wrong.map(({ name }) => name).join(", ")}`);
    return wrong.length > 0 ? 1 : 0;
  },
};

export function stateOf({ state }: Pick<Process, "state">): string {
  return String(enumToJson(Process_StateSchema, state)).toLowerCase().replace("_", " ");
}

/** One line for each process. */
export function processTable(processes: readonly Process[]): string {
  return table(
    ["NAME", "STATE", "PID", "UP", "RESTARTS", "MEMORY", "CPU", "AT", "PROBLEM"],
    processes.map((process) => [
      process.name,
      stateOf(process),
      process.pid > 0 ? String(process.pid) : "-",
      since(process.startedAt),
      String(process.restarts),
      bytes(process.memoryBytes),
      process.cpuCores === undefined ? "-" : `${Math.round(process.cpuCores * 100)} %`,
      process.endpoints[0] ?? "-",
      process.problem || (process.state === State.READY ? "" : process.lastEnd),
    ]),
  );
}
