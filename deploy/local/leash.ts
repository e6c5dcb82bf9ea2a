import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, startTime } from "./process-identity.ts";

/**
 * DESIGN. Every process the runner starts is noted in `<name>.pid` of one folder:
 * its id, the signal it ends by, its start time. Two readers:
 *
 * - the leash, a shell waiting on a pipe that only the runner holds. However the
 *   runner ends (kill -9 too), the pipe closes and the shell ends what is listed;
 * - the next start (reapLeftovers), in case the leash was killed as well.
 *
 * Both compare the start time, since process ids are reused.
 */
export type Leash = {
  /** Notes a started process. Called right after the spawn, before waiting for readiness. */
  hold(name: string, pid: number, stopSignal: NodeJS.Signals): void;
  /** Forgets a process that has ended. */
  release(name: string): void;
  /** Ends the watching shell only; whoever calls this has ended the others. */
  drop(): void;
};

/**
 * Starts the leash. Without a POSIX shell (Windows) processes are noted all the
 * same, and the next start reaps them.
 *
 * @param folder where the notes live; created if missing
 */
export function startLeash(folder: string): Leash {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const shell =
    process.platform === "win32"
      ? undefined
      : spawn("/bin/sh", [join(import.meta.dirname, "leash.sh"), folder], {
          detached: true, // survives the Ctrl-C that ends the runner's own group
          stdio: ["pipe", "ignore", "ignore"],
        });
  shell?.on("error", () => {});
  shell?.unref();
  return {
    hold(name, pid, stopSignal) {
      const note = join(folder, `${name}.pid`);
      writeFileSync(`${note}.new`, `${pid} ${stopSignal} ${startTime(pid)}\n`);
      renameSync(`${note}.new`, note);
    },
    release: (name) => rmSync(join(folder, `${name}.pid`), { force: true }),
    drop: () => {
      shell?.kill("SIGKILL");
    },
  };
}

/**
 * Ends processes that an earlier, killed runner left behind.
 *
 * @returns the names of those that were found alive
 */
export async function reapLeftovers(folder: string): Promise<string[]> {
  const found = readNotes(folder).filter(({ pid, start }) => isAlive(pid) && startTime(pid) === start);
  for (const { pid, signal } of found) signalGroup(pid, signal);
  const deadline = Date.now() + 8_000;
  for (const { pid } of found) {
    while (isAlive(pid)) {
      if (Date.now() > deadline) signalGroup(pid, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  for (const { name } of readNotes(folder)) rmSync(join(folder, `${name}.pid`), { force: true });
  return found.map(({ name }) => name);
}

type Note = { name: string; pid: number; signal: NodeJS.Signals; start: string };

function readNotes(folder: string): Note[] {
  const notes: Note[] = [];
  for (const file of filesIn(folder)) {
    const match = /^(\d+) (SIG[A-Z0-9]+) (.*)\n$/.exec(readFileSync(join(folder, file), "utf8"));
    if (!match) continue; // a half-written note of a machine that lost power: its process is gone too
    const [, pid, signal, start] = match as unknown as [string, string, NodeJS.Signals, string];
    notes.push({ name: file.slice(0, -".pid".length), pid: Number(pid), signal, start });
  }
  return notes;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith(".pid"));
  } catch {
    return [];
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ends everything noted, at once and without asking. */
export function killNoted(folder: string): void {
  for (const { pid, start } of readNotes(folder)) {
    if (isAlive(pid) && startTime(pid) === start) signalGroup(pid, "SIGKILL");
  }
}
