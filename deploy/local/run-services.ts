import { join } from "node:path";
import { compileCache } from "./compile-cache.ts";
import { allTraces, identityVariables, inheritedEnvironment, spansToDashboard } from "./environments.ts";
import type { Identities } from "./identities.ts";
import { implementationOf } from "./implementations/build.ts";
import type { Implementation } from "./implementations/implementation.ts";
import type { Output } from "./output.ts";
import { openRotatingLog } from "./rotating-log.ts";
import {
  type About,
  changed,
  type Run,
  type RunPart,
  type RunProcess,
  startPart,
  startParts,
} from "./run.ts";
import { StartFailed, serviceStopSignal, startServiceProcess } from "./service-process.ts";
import { replicaName, replicaPort, type ServiceEntry, type System } from "./topology.ts";

/** A process to start: one replica of a service, or all of them. */
export type Program = {
  name: string;
  about: Omit<About, "logFile">;
  /** File for Node, from the root of the repository; undefined where there is an `implementation`. */
  entry: string | undefined;
  /** Runs in place of Node. */
  implementation?: Implementation | undefined;
  ports: number[];
  env: NodeJS.ProcessEnv;
};

/** Services that run, each with any number of replicas. */
export type RunningServices = {
  /** Replicas of a service, in order of their numbers; those that were stopped count. */
  replicasOf(service: string): RunProcess[];
  /** Starts the next replica; it is not ready yet. */
  add(service: string): RunProcess;
  /** Ends the last replica and forgets it. */
  remove(service: string): Promise<void>;
};

/**
 * Starts the services and the edge, each as a process or all in one, and waits until all are ready.
 *
 * @param environments by name of the service
 * @throws Error naming the one that does not start, with the end of its log
 */
export async function startServices(
  run: Run,
  environments: Map<string, Record<string, string>>,
  identities: Identities,
): Promise<RunningServices> {
  const { system, options, root, output } = run;
  const began = Date.now();
  const cached = compileCache(root);
  let number = 0;
  const part = (program: Program): RunPart =>
    partFor(run, { ...program, env: { ...program.env, ...cached(number++) } });
  /** Each replica gets a certificate of its own, a fresh one also when it starts again. */
  const replica = (entry: ServiceEntry, of: number): RunPart => {
    const program = replicaOf(system, entry, of, environments.get(entry.name)!);
    const { name, env } = program;
    const implementation = implementationOf(options, entry);
    const own = { ...env, ...identityVariables(identities.filesOf(name)) };
    const { start, ...rest } = part({ ...program, implementation, env: own });
    return {
      ...rest,
      async start(signal) {
        await identities.issue(name, entry.name);
        return start(signal);
      },
    };
  };

  const others = system.services.filter((entry) => implementationOf(options, entry));
  // In this order they are ended the other way round: the edge first, so that no call comes in half way.
  const services = startParts(
    run,
    options.single
      ? [...others.map((entry) => replica(entry, 1)), part(oneForAll(system, environments, others))]
      : system.services.flatMap((entry) =>
          Array.from({ length: options.replicas.get(entry.name) ?? 1 }, (_, index) =>
            replica(entry, index + 1),
          ),
        ),
  );
  const edge = options.single
    ? []
    : startParts(
        run,
        Array.from({ length: options.replicas.get(system.edge.name) ?? 1 }, (_, index) =>
          replica(system.edge, index + 1),
        ),
      );
  await allReady([...services, ...edge], output);
  const names = [...services, ...edge].map(({ name }) => name).join(", ");
  const inOne = `${environments.size - others.length} in one process`;
  const beside = others.length > 0 ? `, beside it ${others.map(({ name }) => name).join(", ")}` : "";
  output.done("services", options.single ? inOne + beside : names, Date.now() - began);

  const groupOf = (service: string) => (service === system.edge.name ? edge : services);
  const replicasOf = (service: string) =>
    groupOf(service).filter(({ about }) => about.service === service && about.kind !== "single");
  return {
    replicasOf,
    add(service) {
      const entry = [...system.services, system.edge].find(({ name }) => name === service)!;
      const started = startPart(run, replica(entry, replicasOf(service).length + 1));
      groupOf(service).push(started);
      changed(run);
      return started;
    },
    async remove(service) {
      const last = replicasOf(service).at(-1)!;
      await last.stop();
      const group = groupOf(service);
      group.splice(group.indexOf(last), 1);
      changed(run);
    },
  };
}

function replicaOf(
  system: System,
  { name: service, entry }: ServiceEntry,
  replica: number,
  env: Record<string, string>,
): Program {
  const name = replicaName(service, replica);
  const kind = service === system.edge.name ? "edge" : "service";
  const named = { ...env, WEFT_INSTANCE: name };
  if (env.WEFT_ADMIN_PORT !== undefined) {
    const port = Number(env.PORT);
    const adminPort = replicaPort(Number(env.WEFT_ADMIN_PORT), replica);
    const about = { kind, service, replica, port, adminPort } as const;
    return {
      name,
      about,
      entry,
      ports: [adminPort],
      env: { ...named, WEFT_ADMIN_PORT: `${adminPort}` },
    };
  }
  const port = replicaPort(Number(env.PORT), replica);
  const about = { kind, service, replica, port } as const;
  return { name, about, entry, ports: [port], env: { ...named, PORT: `${port}` } };
}

/** The one process gets the settings of all as JSON, by name; not those of services that are no part of it. */
function oneForAll(
  { singleEntry }: System,
  environments: Map<string, Record<string, string>>,
  others: readonly ServiceEntry[],
): Program {
  const inside = [...environments].filter(([name]) => others.every((other) => other.name !== name));
  const ports = inside.map(([, { PORT }]) => Number(PORT));
  // They call each other in memory: there is nobody to find.
  const settings = inside.map(([name, env]) => [name, { ...env, WEFT_DISCOVERY: "static" }]);
  return {
    name: "single",
    about: { kind: "single", service: "single", replica: 1, port: ports.at(-1)! },
    entry: singleEntry,
    ports,
    env: { WEFT_ENVIRONMENTS: JSON.stringify(Object.fromEntries(settings)) },
  };
}

/**
 * What is kept of garbage that dies young, in MiB: by default 16 or more for each of eight processes. With less
 * the system holds about a third less memory, at the same CPU an order (npm run figures). So do fewer arenas
 * of malloc, where password hashes come and go.
 */
const youngGeneration = "--max-semi-space-size=4";
/**
 * Most that the dashboard's heap takes, in MiB. Its full stores are less than half of that; without a bound, what is
 * fed to it quickly lies there as garbage for long (npm run bench:dashboard).
 */
const heapOfDashboard = "--max-old-space-size=512";

export function partFor(run: Run, { name, about, entry, implementation, ports, env }: Program): RunPart {
  const { system, options, places, root, leash, started } = run;
  const traced = system.dashboard && options.dashboard && about.kind !== "dashboard";
  const spanExport = { ...allTraces, ...(traced && spansToDashboard(places)) };
  const logFile = join(options.dataDir, "logs", `${name}.log`);
  const log = openRotatingLog(logFile);
  started.others.push(() => log.close());
  const process_ = {
    name,
    command: implementation?.command(root) ?? [
      process.execPath,
      youngGeneration,
      ...(about.kind === "dashboard" ? [heapOfDashboard] : []),
      join(root, entry!),
    ],
    cwd: root,
    env: {
      MALLOC_ARENA_MAX: "2",
      ...spanExport,
      ...inheritedEnvironment(process.env),
      ...implementation?.environment?.(root),
      ...env,
    },
    readyUrls: ports.map((port) => `http://127.0.0.1:${port}/readyz`),
    log,
    logFile,
    onSpawn: (pid: number) => leash.hold(name, pid, serviceStopSignal),
    onExit: () => leash.release(name),
  };
  return {
    name,
    about: { ...about, logFile },
    start: (signal) => startServiceProcess(process_, signal),
  };
}

async function allReady(parts: RunProcess[], output: Output): Promise<void> {
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
