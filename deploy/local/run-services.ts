import { join } from "node:path";
import { compileCache } from "./compile-cache.ts";
import { inheritedEnvironment } from "./environments.ts";
import type { Output } from "./output.ts";
import { openRotatingLog } from "./rotating-log.ts";
import { type Run, startParts } from "./run.ts";
import { StartFailed, serviceStopSignal, startServiceProcess } from "./service-process.ts";
import type { Part, Supervised } from "./supervise.ts";
import type { System } from "./topology.ts";

/** A process to start: one service, or all of them. */
type Program = { name: string; entry: string; ports: number[]; env: NodeJS.ProcessEnv };

/**
 * Starts the services and the edge, each as a process or all in one, and waits until all are ready.
 *
 * @param environments by name of the service
 * @throws Error naming the one that does not start, with the end of its log
 */
export async function startServices(
  run: Run,
  environments: Map<string, Record<string, string>>,
): Promise<void> {
  const { system, options, root, output } = run;
  const began = Date.now();
  const cached = compileCache(root);
  const programs = (
    options.single ? [oneForAll(system, environments)] : onePerService(system, environments)
  ).map((program, number) => ({ ...program, env: { ...program.env, ...cached(number) } }));
  const edge = programs.filter(({ name }) => name === system.edge.name);
  const others = programs.filter(({ name }) => name !== system.edge.name);
  // In this order they are ended the other way round: the edge first, so that no call comes in half way.
  const parts = [others, edge].flatMap((group) =>
    startParts(
      run,
      group.map((program) => partFor(run, program)),
    ),
  );
  await allReady(parts, output);
  const names = parts.map(({ name }) => name).join(", ");
  output.done("services", options.single ? `${environments.size} in one process` : names, Date.now() - began);
}

function onePerService(
  { services, edge }: System,
  environments: Map<string, Record<string, string>>,
): Program[] {
  return [...services, edge].map(({ name, entry }) => {
    const env = environments.get(name)!;
    return { name, entry, ports: [Number(env.PORT)], env };
  });
}

/** The one process gets the settings of all as JSON, by name. */
function oneForAll({ singleEntry }: System, environments: Map<string, Record<string, string>>): Program {
  return {
    name: "single",
    entry: singleEntry,
    ports: [...environments.values()].map(({ PORT }) => Number(PORT)),
    env: { WEFT_ENVIRONMENTS: JSON.stringify(Object.fromEntries(environments)) },
  };
}

/**
 * What is kept of garbage that dies young, in MiB: by default 16 or more for each of eight processes. With less
 * the system holds about a third less memory, at the same CPU an order (npm run figures). So do fewer arenas
 * of malloc, where password hashes come and go.
 */
const youngGeneration = "--max-semi-space-size=4";

function partFor({ options, root, leash, started }: Run, { name, entry, ports, env }: Program): Part {
  const logFile = join(options.dataDir, "logs", `${name}.log`);
  const log = openRotatingLog(logFile);
  started.others.push(() => log.close());
  const process_ = {
    name,
    command: [process.execPath, youngGeneration, join(root, entry)],
    cwd: root,
    env: { MALLOC_ARENA_MAX: "2", ...inheritedEnvironment(process.env), ...env },
    readyUrls: ports.map((port) => `http://127.0.0.1:${port}/readyz`),
    log,
    logFile,
    onSpawn: (pid: number) => leash.hold(name, pid, serviceStopSignal),
    onExit: () => leash.release(name),
  };
  return { name, start: (signal) => startServiceProcess(process_, signal) };
}

async function allReady(parts: Supervised[], output: Output): Promise<void> {
  const waiting = new Set(parts.map(({ name }) => name));
  const show = () => output.waiting(waiting.size === 0 ? "" : `waiting for ${[...waiting].join(", ")}`);
  show();
  const waits = parts.map(async ({ name, ready }) => {
    await ready.catch((error: Error) => {
      const reason = error instanceof StartFailed ? error.detail : error.message;
      throw new NotStarted(`${name} does not start: ${reason}`);
    });
    waiting.delete(name);
    show();
  });
  await Promise.all(waits).finally(() => output.waiting(""));
}

/** A service does not become ready; the message has the end of its log. */
export class NotStarted extends Error {}
