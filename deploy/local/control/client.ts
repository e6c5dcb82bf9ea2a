/** Commands for the runner of a data folder, from another process; what they do stands in steer.ts. */
import { type IncomingMessage, request } from "node:http";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { ProcessState } from "./process-state.ts";
import { controlSocket } from "./socket-path.ts";

/** The runner refuses a command, or none is there; the message says why. */
export class ControlFailed extends Error {}

export type Control = {
  list(): Promise<ProcessState[]>;
  /** All processes now and after each change, until the signal is aborted or the runner ends. */
  watch(signal: AbortSignal): AsyncGenerator<ProcessState[]>;
  stop(name: string): Promise<ProcessState>;
  start(name: string): Promise<ProcessState>;
  restart(name: string): Promise<ProcessState>;
  kill(name: string): Promise<ProcessState>;
  /** @param replicas 1 to 10 */
  scale(service: string, replicas: number): Promise<ProcessState[]>;
};

/**
 * The runner that works on a data folder; it is looked for with each command, so it may come later.
 * Every function rejects with ControlFailed when there is none, or it refuses.
 */
export function controlOf(dataDir: string): Control {
  const { path } = controlSocket(resolve(dataDir));
  const command = (what: string) => (name: string) =>
    ask<ProcessState>(path, "POST", `/processes/${encodeURIComponent(name)}/${what}`);
  return {
    list: async () => (await ask<{ processes: ProcessState[] }>(path, "GET", "/processes")).processes,
    async *watch(signal) {
      const response = await open(path, "GET", "/watch", undefined, signal);
      try {
        for await (const line of createInterface({ input: response, signal }))
          yield (JSON.parse(line) as { processes: ProcessState[] }).processes;
      } catch (error) {
        if (!signal.aborted) throw new ControlFailed(`the runner is gone: ${(error as Error).message}`);
      } finally {
        response.destroy();
      }
    },
    stop: command("stop"),
    start: command("start"),
    restart: command("restart"),
    kill: command("kill"),
    scale: async (service, replicas) => {
      const where = `/services/${encodeURIComponent(service)}/scale`;
      return (await ask<{ processes: ProcessState[] }>(path, "POST", where, { replicas })).processes;
    },
  };
}

async function ask<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await open(socketPath, method, path, body);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  const reply = JSON.parse(text) as T & { error?: string };
  if (response.statusCode !== 200) throw new ControlFailed(reply.error ?? `status ${response.statusCode}`);
  return reply;
}

async function open(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath, method, path, signal, headers: { host: "runner" } })
      .once("response", resolve)
      .once("error", (error: NodeJS.ErrnoException) => {
        const absent = error.code === "ENOENT" || error.code === "ECONNREFUSED";
        reject(new ControlFailed(absent ? "no runner works on this data folder" : error.message));
      })
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
}
