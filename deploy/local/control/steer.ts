/** What may be done to the processes of a run while it goes on. */
import { processesOf, type Run, type RunProcess } from "../run.ts";
import type { RunningServices } from "../run-services.ts";
import { canHaveReplicas, mostReplicas } from "../topology.ts";
import { type ProcessState, stateOf } from "./process-state.ts";

/** A command that cannot be done; `status` is the HTTP status that says so. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Steering = {
  /** All processes, in order of starting. */
  list(): ProcessState[];
  /** Ends a process and keeps it ended. Resolves when it has ended. */
  stop(name: string): Promise<ProcessState>;
  /** Starts a process that was stopped or given up. Resolves when it is ready. */
  start(name: string): Promise<ProcessState>;
  /** Stops and starts it; a service lets calls in flight finish. Resolves when it is ready again. */
  restart(name: string): Promise<ProcessState>;
  /** Ends a process without asking it (SIGKILL). The runner starts it again, as after any crash. */
  kill(name: string): Promise<ProcessState>;
  /** Starts or stops replicas until a service has so many. Resolves when the new ones are ready. */
  scale(service: string, replicas: number): Promise<ProcessState[]>;
};

/** Commands for a run. Those for the same process or service are done one after the other. */
export function steer(run: Run, services: RunningServices): Steering {
  const inTurn = new Map<string, Promise<unknown>>();
  const oneByOne = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const next = (inTurn.get(key) ?? Promise.resolve()).then(work, work);
    inTurn.set(key, next);
    return next;
  };
  const find = (name: string): RunProcess => {
    const found = processesOf(run).find((process) => process.name === name);
    if (!found) throw new Refused(404, `nothing called "${name}" is running`);
    return found;
  };
  const begin = async (process: RunProcess) => {
    if (run.started.ended) throw new Refused(409, "the system is ending");
    try {
      await process.start();
    } catch (error) {
      throw new Refused(409, (error as Error).message);
    }
  };
  const command = (name: string, work: (process: RunProcess) => Promise<void>) =>
    oneByOne(find(name).about.service, async () => {
      const process = find(name); // another command may have removed it
      await work(process);
      return stateOf(process);
    });

  return {
    list: () => processesOf(run).map(stateOf),
    stop: async (name) => command(name, (process) => process.stop()),
    start: async (name) => command(name, begin),
    restart: async (name) =>
      command(name, async (process_) => {
        await process_.stop();
        await begin(process_);
      }),
    kill: async (name) => {
      const process_ = find(name);
      if (process_.pid === undefined) throw new Refused(409, `${name} is ${process_.state}`);
      killGroup(process_.pid);
      return stateOf(process_);
    },
    scale: async (service, replicas) => {
      if (services.replicasOf(service).length === 0 || !canHaveReplicas(run.system, service))
        throw new Refused(404, `there is no service "${service}" that can have replicas`);
      if (!Number.isInteger(replicas) || replicas < 1 || replicas > mostReplicas)
        throw new Refused(400, `replicas must be a whole number from 1 to ${mostReplicas}`);
      return oneByOne(service, async () => {
        const started: RunProcess[] = [];
        while (services.replicasOf(service).length < replicas) started.push(services.add(service));
        while (services.replicasOf(service).length > replicas) await services.remove(service);
        await Promise.all(started.map(({ ready }) => ready)).catch((error: Error) => {
          throw new Refused(409, error.message);
        });
        return services.replicasOf(service).map(stateOf);
      });
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
