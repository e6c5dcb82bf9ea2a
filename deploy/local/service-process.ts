import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { describeExit, endChild, startChild } from "./child.ts";
import type { RotatingLog } from "./rotating-log.ts";
import type { Instance } from "./supervise.ts";

export type ServiceProcess = {
  name: string;
  /** Program and arguments. */
  command: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Asked until it answers 200: the service's GET /readyz. One URL per port that must be ready. */
  readyUrls: string[];
  log: RotatingLog;
  logFile: string;
  onSpawn: (pid: number) => void;
  onExit: () => void;
  /** Milliseconds until it must be ready. Default 60 s: migrations on a slow disk take their time. */
  readyWithin?: number;
};

/** A service finishes its calls after SIGTERM; it promises to need no more than 10 s. */
export const serviceStopSignal = "SIGTERM" satisfies NodeJS.Signals;
const stopWithin = 11_000;

/**
 * Starts a service and waits until it is ready.
 *
 * @throws StartFailed
 */
export async function startServiceProcess(service: ServiceProcess, signal: AbortSignal): Promise<Instance> {
  const { name, command, cwd, env, readyUrls, log, readyWithin = 60_000 } = service;
  const [program, ...args] = command;
  const child = await startChild(program!, args, { cwd, env, output: (chunk) => log.write(chunk) });
  service.onSpawn(child.pid);
  void child.exited.then(service.onExit);
  const stop = async () => {
    await endChild(child, [[serviceStopSignal, stopWithin]]);
  };

  const gone = new AbortController();
  const ended = child.exited.then((exit) => {
    gone.abort();
    return exit;
  });
  const waiting = AbortSignal.any([gone.signal, signal, AbortSignal.timeout(readyWithin)]);
  if (await answerReady(readyUrls, waiting)) return { pid: child.pid, exited: child.exited, stop };

  if (gone.signal.aborted) throw new StartFailed(describeExit(await ended), service.logFile);
  await stop();
  if (signal.aborted) throw new Error(`${name} was stopped while starting`);
  throw new StartFailed(`not ready after ${readyWithin / 1000} s`, service.logFile);
}

/** A service ended, or was not ready in time. */
export class StartFailed extends Error {
  /** The reason with the end of the log. */
  readonly detail: string;
  constructor(reason: string, logFile: string) {
    super(reason);
    this.detail = `${reason}. The end of ${logFile}:\n${tail(logFile)}`;
  }
}

/** Whether all URLs have answered 200 before the signal. */
async function answerReady(urls: string[], signal: AbortSignal): Promise<boolean> {
  const waits = urls.map(async (url) => {
    for (let delay = 25; !signal.aborted; delay = Math.min(200, delay * 1.3)) {
      try {
        const response = await fetch(url, { signal });
        await response.body?.cancel();
        if (response.ok) return true;
      } catch {
        // nobody listens yet
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
    return false;
  });
  return (await Promise.all(waits)).every(Boolean);
}

function tail(file: string, bytes = 4_000, lines = 6): string {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    const last = buffer.toString("utf8").trimEnd().split("\n").slice(-lines);
    return last.map((line) => `    ${line.slice(0, 400)}`).join("\n");
  } finally {
    closeSync(descriptor);
  }
}
