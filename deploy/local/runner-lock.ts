import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, startTime } from "./process-identity.ts";

/** Another runner works on the same data. */
export class AlreadyRunning extends Error {
  readonly pid: number;
  readonly url: string;
  constructor({ pid, url }: Holder) {
    super(`already running: process ${pid}, at ${url}. Stop it with Ctrl-C in its terminal or: kill ${pid}`);
    this.pid = pid;
    this.url = url;
  }
}

type Holder = { pid: number; start: string; url: string };

/**
 * Makes sure that one runner at a time works on a data folder. The lock of a
 * runner that was killed does not count.
 *
 * @param url where this runner's system will be, told to a second one
 * @returns a function that gives the folder free again
 * @throws AlreadyRunning
 */
export function lockDataDir(dataDir: string, url: string): () => void {
  const file = join(dataDir, "runner.lock");
  const mine: Holder = { pid: process.pid, start: startTime(process.pid), url };
  const written = `${file}.${process.pid}`;
  writeFileSync(written, JSON.stringify(mine), { mode: 0o600 });
  try {
    // link fails if the lock exists, and never shows a half-written file.
    while (!tryLink(written, file)) removeStale(file);
  } finally {
    rmSync(written, { force: true });
  }
  return () => {
    if (read(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** Moves the lock aside before judging it: two runners must not both remove it, the later one the new lock of the first. */
function removeStale(file: string): void {
  const known = read(file);
  if (known && isHeld(known)) throw new AlreadyRunning(known);
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = read(aside);
  if (moved && isHeld(moved)) {
    tryLink(aside, file);
    rmSync(aside, { force: true });
    throw new AlreadyRunning(moved);
  }
  rmSync(aside, { force: true });
}

function isHeld({ pid, start }: Holder): boolean {
  return isAlive(pid) && startTime(pid) === start;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
