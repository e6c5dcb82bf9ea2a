/** `weft kill`, `stop`, `start`, `restart`, `scale`: what the runner does to a process. */
import { toJson } from "@bufbuild/protobuf";
import {
  ControlProcessRequest_Action as Action,
  ProcessSchema,
} from "#gen/weft/dashboard/v1/processes_pb.ts";
import { dashboardClient, dashboardUsage, readArguments } from "./dashboard-client.ts";
import { type Command, WrongUsage } from "./run-command-line.ts";

export const kill = processCommand(
  "kill",
  Action.KILL,
  "killed",
  "ends a process as a crash would; the runner starts it again",
);
export const stop = processCommand(
  "stop",
  Action.STOP,
  "is being stopped",
  "ends a process in order, and keeps it ended",
);
export const start = processCommand(
  "start",
  Action.START,
  "is being started",
  "starts a process that was stopped",
);
export const restart = processCommand(
  "restart",
  Action.RESTART,
  "is being restarted",
  "ends a process in order and starts it again",
);

export const scale: Command = {
  name: "scale",
  summary: "gives a service so many replicas",
  usage: `usage: weft scale SERVICE REPLICAS

${dashboardUsage}`,
  async run(args, io) {
    const { values, positionals } = readArguments(args, {});
    const [name, count] = positionals;
    const replicas = Number(count);
    if (!name || !Number.isInteger(replicas) || replicas < 1)
      throw new WrongUsage("name a service, and how many replicas it is to have");
    await dashboardClient(values.data, io.env).controlProcess({ name, action: Action.SCALE, replicas });
    if (values.json) io.out(JSON.stringify({ service: name, replicas }));
    else io.out(`${name}: ${replicas} replicas asked for; weft status shows them`);
    return 0;
  },
};

/** @param told what the process is told to be; it has been told when the command ends, and `weft status` shows the rest */
function processCommand(name: string, action: Action, told: string, summary: string): Command {
  return {
    name,
    summary,
    usage: `usage: weft ${name} PROCESS ...

${dashboardUsage}`,
    async run(args, io) {
      const { values, positionals } = readArguments(args, {});
      if (positionals.length === 0) throw new WrongUsage("name a process");
      const client = dashboardClient(values.data, io.env);
      for (const each of positionals) {
        const { process } = await client.controlProcess({ name: each, action });
        if (!process) continue;
        io.out(values.json ? JSON.stringify(toJson(ProcessSchema, process)) : `${each}: ${told}`);
      }
      return 0;
    },
  };
}
