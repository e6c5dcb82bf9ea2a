import {
  byLine,
  type Child,
  type ChildOptions,
  describeExit,
  type Exit,
  endChild,
  startChild,
} from "./child.ts";

export type ReadyLine = Omit<ChildOptions, "output"> & {
  /** Name for messages. */
  name: string;
  /** A line that contains this says that the server is ready. */
  readyText: string;
  /** Milliseconds until it must have been said. */
  within: number;
  log: (line: string) => void;
  onSpawn?: ((pid: number) => void) | undefined;
};

/** A server ended, or said nothing, before it was ready. The message holds its last lines. */
export class NotReady extends Error {
  readonly lastLines: string[];
  constructor(name: string, what: string, lastLines: string[]) {
    super(`${name} ${what}. Its last lines:\n${lastLines.map((line) => `  ${line}`).join("\n")}`);
    this.lastLines = lastLines;
  }
}

/**
 * Starts a server that announces its readiness on stdout or stderr.
 *
 * @throws NotReady
 */
export async function startAnnouncing(command: string, args: string[], options: ReadyLine): Promise<Child> {
  const { name, readyText, within, log, onSpawn, ...rest } = options;
  const lastLines: string[] = [];
  const ready = Promise.withResolvers<"ready">();
  const output = byLine((line) => {
    log(line);
    lastLines.push(line);
    if (lastLines.length > 8) lastLines.shift();
    if (line.includes(readyText)) ready.resolve("ready");
  });
  const child = await startChild(command, args, { ...rest, output });
  onSpawn?.(child.pid);

  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), within);
  });
  const outcome = await Promise.race([ready.promise, child.exited, late]).finally(() => clearTimeout(timer));
  if (outcome === "ready") return child;
  if (outcome === "late") await endChild(child, [["SIGTERM", 2_000]]);
  // What it wrote last may still be on its way through the pipe.
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw new NotReady(name, describe(outcome, within), lastLines);
}

function describe(outcome: Exit | "late", within: number): string {
  return outcome === "late"
    ? `was not ready after ${within / 1000} s`
    : `ended with ${describeExit(outcome)}`;
}
