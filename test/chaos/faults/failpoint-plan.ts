/** Plans for mesh/runtime/failpoint.ts, and what became of them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../harness/random.ts";

/** Failpoint → times. */
export type Counts = Record<string, number>;

/** What happened at the failpoints of all processes together. */
export interface FailpointFigures {
  readonly passes: Counts;
  readonly crashes: Counts;
  /** Crashes that are planned and have not happened. */
  readonly left: number;
}

/** A crash comes at one of the next so many passes: a process that never lives long stops the work of all. */
const mostPasses = 12;

/**
 * Writes a plan for each process: `times` crashes at every failpoint, shared among the processes that pass it, in
 * an order that the seed repeats.
 *
 * @param times - 0 takes the plans back; less than 1 chooses that part of the failpoints
 */
export function writePlans(
  folder: string,
  failpoints: Readonly<Record<string, readonly string[]>>,
  times: number,
  random: Random,
): void {
  const processes = Object.keys(failpoints);
  const lines = new Map<string, string[]>(processes.map((process) => [process, []]));
  const names = random.shuffled([...new Set(Object.values(failpoints).flat())]);
  for (let crash = 0; crash < Math.ceil(names.length * times); crash++) {
    const name = names[crash % names.length] as string;
    const process = random.pick(processes.filter((candidate) => failpoints[candidate]?.includes(name)));
    lines.get(process)?.push(`${name} ${random.integer(1, mostPasses)}\n`);
  }
  for (const [process, own] of lines) writeFileSync(join(folder, `${process}.plan`), own.join(""));
}

/** Reads what has happened so far. */
export function failpointFigures(folder: string, processes: readonly string[]): FailpointFigures {
  const linesOf = (process: string, kind: string) => {
    try {
      return readFileSync(join(folder, `${process}.${kind}`), "utf8")
        .split("\n")
        .slice(0, -1);
    } catch {
      return []; // never started with failpoints
    }
  };
  const all = (kind: string) => processes.flatMap((process) => linesOf(process, kind));
  const crashes = all("crashes");
  return { passes: count(all("passes")), crashes: count(crashes), left: all("plan").length - crashes.length };
}

function count(names: readonly string[]): Counts {
  const counts: Counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
