import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DESCRIPTORS } from "./schema.ts";

/** The project's own gateway. */
export const OWN_COMMAND = [
  process.execPath,
  join(import.meta.dirname, "../../edge/main.ts"),
  ..."--descriptors {descriptors} --upstream *={upstream} --port {port} --options {options} --http-rules {http_rules}".split(
    " ",
  ),
];
const START_MS = 120_000;

/** A gateway with the configuration of a group of cases. */
export interface Gateway {
  readonly port: number;
  readonly pid: number;
  /** Resolves true when its port answers, false when it ended before. */
  ready(): Promise<boolean>;
  /** Exit code, once it has ended. */
  exited(): Promise<number | null>;
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts a gateway with the options and rules of a case.
 * @param command words with placeholders: {descriptors}, {upstream}, {port}; {options} and {http_rules} are
 *   files, and where a case has none they are left out together with the flag before them
 */
export async function startGateway(
  command: readonly string[],
  upstreamPort: number,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Gateway> {
  const port = await gatewayPort();
  const folder = mkdtempSync(join(tmpdir(), "transcode-"));
  const { http_rules: rules, ...options } = config;
  const file = (name: string, content: unknown): string => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const values: Record<string, string | undefined> = {
    descriptors: DESCRIPTORS,
    upstream: `http://127.0.0.1:${upstreamPort}`,
    port: String(port),
    options: Object.keys(options).length > 0 ? file("options.json", options) : undefined,
    http_rules: rules ? file("rules.json", { type: "google.api.Service", http: { rules } }) : undefined,
  };
  const [program = "", ...args] = fillIn(command, values);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  return watchProcess(child, port, () => rmSync(folder, { recursive: true, force: true }));
}

function fillIn(command: readonly string[], values: Record<string, string | undefined>): string[] {
  const words: string[] = [];
  for (const word of command) {
    const missing = [...word.matchAll(/\{(\w+)\}/g)].some(([, name]) => values[name!] === undefined);
    if (!missing) words.push(word.replace(/\{(\w+)\}/g, (_, name: string) => values[name]!));
    else if (words.at(-1)?.startsWith("-") && !words.at(-1)!.includes("=")) words.pop();
  }
  return words;
}

function watchProcess(child: ChildProcess, port: number, cleanUp: () => void): Gateway {
  let output = "";
  let ended = false;
  const exit = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      ended = true;
      cleanUp();
      resolve(code);
    });
    child.once("error", (error) => {
      output += error.message;
      resolve(null);
    });
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk));
  return {
    port,
    pid: child.pid ?? 0,
    exited: () => exit,
    output: () => output,
    async ready() {
      for (const until = Date.now() + START_MS; Date.now() < until && !ended; ) {
        if (await answers(port)) return true;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return false;
    },
    async stop() {
      if (ended) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await exit;
      clearTimeout(timer);
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Ports below those that systems give out: nobody gets one between our look and the gateway's start. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
let offset = Math.floor(Math.random() * PORTS);

/** A port for a gateway that must be told one. */
async function gatewayPort(): Promise<number> {
  for (let tries = 0; tries < PORTS; tries++) {
    offset = (offset + 1) % PORTS;
    if (await isFree(FIRST_PORT + offset)) return FIRST_PORT + offset;
  }
  throw new Error(`no port from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
