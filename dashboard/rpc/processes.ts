import { create, enumToJson } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import {
  ControlProcessRequest_Action as Action,
  ControlProcessRequest_ActionSchema,
  ControlProcessResponseSchema,
} from "#gen/weft/dashboard/v1/processes_pb.ts";
import { ControlFailed } from "#local/control/client.ts";
import type { Sources } from "../sources/sources.ts";
import { processesOf } from "../ticks/processes.ts";

/** How long a command may take before it is answered as told; what comes of it is in the ticks, in milliseconds. */
const toldMs = 1_000;

/** Steers the runner's processes. */
export function processesRpc(sources: Sources) {
  const { control, log } = sources;
  return {
    controlProcess: async ({ name, action, replicas }) => {
      const processes = processesOf(sources);
      const known = processes.find((process) => process.name === name);
      if (!known) {
        const whole = processes.find(({ nodes }) => nodes.includes(name));
        const hint = whole
          ? `: ${name} runs in the process "${whole.name}", with ${whole.nodes.length - 1} others`
          : "";
        throw new ConnectError(`there is no process "${name}"${hint}`, Code.NotFound);
      }
      if (!known.actions.includes(action))
        throw new ConnectError(`${name} cannot do that now`, Code.FailedPrecondition);
      const commands: Partial<Record<Action, () => Promise<unknown>>> = {
        [Action.START]: () => control.start(name),
        [Action.STOP]: () => control.stop(name),
        [Action.RESTART]: () => control.restart(name),
        [Action.KILL]: () => control.kill(name),
        [Action.SCALE]: () => control.scale(known.service, replicas),
      };
      log.info(
        {
          process: name,
          action: enumToJson(ControlProcessRequest_ActionSchema, action),
          replicas: replicas || undefined,
        },
        "told the runner",
      );
      const done = commands[action]!();
      done.catch((error: Error) =>
        log.warn({ process: name, problem: error.message }, "the runner could not"),
      );
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, toldMs))]).catch(
        (error: unknown) => {
          if (!(error instanceof ControlFailed)) throw error;
          throw new ConnectError(error.message, Code.FailedPrecondition);
        },
      );
      const process = processesOf(sources).find((each) => each.name === name) ?? known;
      return create(ControlProcessResponseSchema, { process });
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}
