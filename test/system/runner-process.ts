import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takenPorts } from "#local/ports.ts";
import type { ReadyFile } from "#local/ready-file.ts";
import { claimPorts } from "./claim-ports.ts";

const root = join(import.meta.dirname, "../..");

/** A runner in a process of its own, as `npm start` would have it. */
export type RunnerProcess = {
  process: ChildProcess;
  /** Path of the ready file. */
  file: string;
  /** All it has printed. */
  output(): string;
  /** The ready file as it is now; undefined until the system is ready and after it has ended. */
  readyFile(): ReadyFile | undefined;
  /** Resolves when the system is ready. Rejects with the output if the runner ends first. */
  ready: Promise<ReadyFile>;
  /** Resolves with exit code or signal. */
  exited: Promise<number | NodeJS.Signals | null>;
};

export type RunnerStart = {
  /** Program of the runner, from the root of the repository. */
  entry: string;
  dataDir: string;
  portOffset: number;
  args?: string[];
  env?: NodeJS.ProcessEnv;
};

/** Starts a runner. The caller ends it. */
export function startRunnerProcess({
  entry,
  dataDir,
  portOffset,
  args = [],
  env = {},
}: RunnerStart): RunnerProcess {
  const file = join(dataDir, "ready.json");
  const child = spawn(
    process.execPath,
    [join(root, entry), "--data", dataDir, "--ready-file", file, ...args],
    {
      cwd: root,
      env: { ...process.env, WEFT_PORT_OFFSET: String(portOffset), NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  // "close", not "exit": by then everything it printed has been read.
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  const readyFile = () => readReadyFile(file, child.pid!);
  const ready = waitUntilReady(readyFile, exited, () => output);
  ready.catch(() => {}); // who does not wait for it knows why
  return { process: child, file, output: () => output, readyFile, ready, exited };
}

/** A data folder that goes nowhere near the checkout's own. The caller removes it. */
export function temporaryDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-run-"));
  chmodSync(folder, 0o711);
  return folder;
}

/** Ports of whole systems are taken from here: above those of `freePort`, below those of outgoing connections. */
const [lowest, highest] = [20_000, 32_000];

/** An offset with which all of these ports are free, and nobody else who asks gets one of them while this process lives. */
export async function pickPortOffset(ports: number[]): Promise<number> {
  const from = lowest - Math.min(...ports);
  for (;;) {
    const offset = from + Math.floor(Math.random() * (highest - Math.max(...ports) - from));
    const wanted = ports.map((port) => port + offset);
    const taken = await takenPorts(wanted.map((port) => ({ name: "", port })));
    if (taken.length === 0 && claimPorts(wanted)) return offset;
  }
}

/** Asks again and again until the condition holds. @throws Error with `what` after `seconds`. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  seconds = 60,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The file of an earlier runner that was killed does not count. */
function readReadyFile(file: string, pid: number): ReadyFile | undefined {
  try {
    const description = JSON.parse(readFileSync(file, "utf8")) as ReadyFile;
    return description.pid === pid ? description : undefined;
  } catch {
    return undefined;
  }
}

async function waitUntilReady(
  readyFile: () => ReadyFile | undefined,
  exited: Promise<unknown>,
  output: () => string,
): Promise<ReadyFile> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  return until(
    "the system is ready",
    () => {
      if (ended) throw new Error(`the runner ended before it was ready:\n${output()}`);
      return readyFile();
    },
    300,
  ).catch((error: Error) => {
    throw ended ? error : new Error(`${error.message}\n${output()}`);
  });
}
