/** A lock in a file, for one process at a time. That of a process that was killed does not count. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isAlive, startTime } from "./process-identity.ts";

/** Who has a lock: the id of an ended process may be another's by now, so its start belongs to it. */
type Holder = { pid: number; start: string };

/**
 * Takes the lock.
 *
 * @param told kept in the file, for those who find the lock taken
 * @returns undefined when this process has it now; otherwise who has it, with what that process told. A process that
 *   asks twice finds itself
 */
export function takeLock<Told extends object>(file: string, told: Told): (Holder & Told) | undefined {
  const mine = { pid: process.pid, start: startTime(process.pid), ...told };
  const written = `${file}.${process.pid}`;
  writeFileSync(written, JSON.stringify(mine), { mode: 0o600 });
  try {
    // link fails if the lock exists, and never shows a half-written file.
    while (!tryLink(written, file)) {
      const holder = holderUnlessStale<Holder & Told>(file);
      if (holder) return holder;
    }
    return undefined;
  } finally {
    rmSync(written, { force: true });
  }
}

/** Gives the lock back, if this process has it. */
export function releaseLock(file: string): void {
  if (read(file)?.pid === process.pid) rmSync(file, { force: true });
}

/** Moves the lock aside before judging it: two processes must not both remove it, the later one the new lock of the first. */
function holderUnlessStale<H extends Holder>(file: string): H | undefined {
  const known = read<H>(file);
  if (known && isHeld(known)) return known;
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const moved = read<H>(aside);
  const held = moved && isHeld(moved) ? moved : undefined;
  if (held) tryLink(aside, file);
  rmSync(aside, { force: true });
  return held;
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

function read<H extends Holder>(file: string): H | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as H;
  } catch {
    return undefined;
  }
}
