import { readFileSync, rmSync } from "node:fs";
import { type Mail, readInbox } from "#local/inbox.ts";
import { isAlive } from "#local/process-identity.ts";
import type { ReadyFile } from "#local/ready-file.ts";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { pickPortOffset, startRunnerProcess, temporaryDataDir, until } from "./runner-process.ts";

/** The whole shop, run by the same runner as `npm start`, on ports and data of its own. */
export type RunningShop = {
  /** Base URL of the edge. */
  edgeUrl: string;
  dataDir: string;
  /** TCP port of a service ("order") or server ("postgres", "nats", "inbox"). */
  servicePort(name: string): number;
  /** Process id of a running service or server; undefined while it is being restarted. */
  pid(name: string): number | undefined;
  /** Ends a process with SIGKILL, and returns when it is gone. The runner starts it again. */
  kill(name: string): Promise<void>;
  /** Ends a process with SIGTERM, and returns when the runner has started it again and it is ready. */
  restart(name: string): Promise<void>;
  /** Returns when a process that was killed is running and ready again. */
  running(name: string): Promise<void>;
  /** All mails so far, oldest first. */
  inbox(): Mail[];
};

export type Shop = RunningShop & {
  readyFile: string;
  /** What the runner has printed. */
  output(): string;
  /** Ends everything and removes the data. */
  stop(): Promise<void>;
};

export type ShopOptions = {
  /** All services in one process. Default false. */
  single?: boolean;
  /** Processes of each service; one where it is not listed. */
  replicas?: ReadonlyMap<string, number>;
  /** Services that do not run in TypeScript, each NAME=LANGUAGE. WEFT_IMPL says so for every shop. */
  languages?: readonly string[];
  /** Whether the dashboard runs beside it and collects traces. Default true, as with `npm start`. */
  dashboard?: boolean;
  /** Settings for the services. */
  env?: Record<string, string>;
  /** Program of the runner, from the root of the repository. Default that of `npm start`. */
  entry?: string;
  /** Added to every port; one with which all are free if left out. */
  portOffset?: number;
  /** Keeps and reuses data of this folder instead of a temporary one. */
  dataDir?: string;
};

/**
 * Starts the shop and waits until it is ready.
 *
 * @throws Error with what the runner printed, if it does not get ready
 */
export async function startShop({
  single = false,
  replicas = new Map(),
  languages = [],
  dashboard = true,
  env = {},
  entry = "deploy/local/main.ts",
  portOffset,
  dataDir,
}: ShopOptions = {}): Promise<Shop> {
  const folder = dataDir ?? temporaryDataDir();
  const runner = startRunnerProcess({
    entry,
    dataDir: folder,
    portOffset:
      portOffset ?? (await pickPortOffset(placesFor(system, 0, replicas).all.map(({ port }) => port))),
    args: [
      ...(single ? ["--single"] : []),
      ...[...replicas].flatMap(([name, count]) => ["--replicas", `${name}=${count}`]),
      ...languages.flatMap((each) => ["--impl", each]),
      ...(dashboard ? [] : ["--no-dashboard"]),
    ],
    env,
  });
  const clear = () => {
    if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
  };
  await runner.ready.catch((error: Error) => {
    clear();
    throw error;
  });
  return {
    ...attachShop(runner.file),
    readyFile: runner.file,
    output: runner.output,
    async stop() {
      runner.process.kill("SIGTERM");
      const exit = await runner.exited;
      clear();
      if (exit !== 0) throw new Error(`the runner ended with ${exit}:\n${runner.output()}`);
    },
  };
}

/** A shop that some process has started, known by its ready file. */
export function attachShop(readyFile: string): RunningShop {
  const { edgeUrl, ports, inbox, dataDir } = read(readyFile);
  const pid = (name: string) => {
    const { pids } = read(readyFile);
    return pids[name] ?? (isService(name) ? pids.single : undefined);
  };
  const end = async (name: string, signal: NodeJS.Signals) => {
    const process_ = await until(`${name} is running`, () => pid(name));
    process.kill(process_, signal);
    await until(`${name} has ended`, () => !isAlive(process_));
  };
  // The file may still name the process that has just ended.
  const running = async (name: string) => {
    const ready = () => {
      const process_ = pid(name);
      return process_ !== undefined && isAlive(process_);
    };
    await until(`${name} is running`, ready, 120);
  };
  return {
    edgeUrl,
    dataDir,
    servicePort(name) {
      const port = ports[name];
      if (port === undefined) throw new Error(`nothing called "${name}" is in deploy/local/system.ts`);
      return port;
    },
    pid,
    kill: (name) => end(name, "SIGKILL"),
    async restart(name) {
      await end(name, "SIGTERM");
      await running(name);
    },
    running,
    inbox: () => readInbox(inbox),
  };
}

function read(file: string): ReadyFile {
  return JSON.parse(readFileSync(file, "utf8")) as ReadyFile;
}

function isService(name: string): boolean {
  return name === system.edge.name || system.services.some((service) => service.name === name);
}
