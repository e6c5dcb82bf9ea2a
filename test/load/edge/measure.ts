import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Scenario } from "./contract/books.ts";
import { cpuMicros } from "./cpu-time.ts";
import type { LoadOrder, LoadReport } from "./load-generator.ts";
import type { ServerProcess } from "./processes.ts";

/** Requests in flight at a time: keep-alive connections, each in a closed loop. */
export const CONNECTIONS = 32;

/** Sends load from a process of its own. */
export class Load {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "load-generator.ts"));

  constructor() {
    process.once("exit", () => this.stop());
  }

  /**
   * Sends `count` requests to a gateway.
   * @returns CPU time of the gateway for each, in microseconds
   * @throws Error when any of them failed
   */
  async cpuPerRequest(gateway: ServerProcess, request: string, count: number): Promise<number> {
    const order: LoadOrder = { port: gateway.port, request, connections: CONNECTIONS, count };
    const before = cpuMicros(gateway.pid);
    this.#child.send(order);
    const [report] = (await once(this.#child, "message")) as [LoadReport];
    const used = cpuMicros(gateway.pid) - before;
    if (report.failures > 0) throw new Error(`${report.failures} requests failed: ${report.firstFailure}`);
    return used / count;
  }

  stop(): void {
    this.#child.kill();
  }
}

/** The bytes of a scenario's request, with the headers an ordinary client sends; it does not ask for gzip. */
export function requestBytes({ httpMethod, path, body }: Scenario, authorization: string): string {
  const head = [
    `${httpMethod} ${path} HTTP/1.1`,
    "Host: localhost",
    "User-Agent: bench/1.0",
    "Accept: application/json",
    `Authorization: ${authorization}`,
  ];
  if (body !== "") head.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/**
 * Sees that a gateway does what it is measured for.
 * @throws Error when it answers a scenario with anything but the JSON that the contract asks for
 */
export async function checkReply(
  gateway: ServerProcess,
  scenario: Scenario,
  authorization: string,
): Promise<void> {
  const { httpMethod, path, body, reply } = scenario;
  const headers = { authorization, "content-type": "application/json" };
  const url = `http://127.0.0.1:${gateway.port}${path}`;
  const answer = await fetch(url, { method: httpMethod, headers, body: body === "" ? null : body });
  const text = await answer.text();
  if (answer.status !== 200 || !isDeepStrictEqual(JSON.parse(text), reply))
    throw new Error(`${scenario.name}: wrong answer ${answer.status} ${text.slice(0, 300)}`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
