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

/**
 * Writes a plan for each process: every failpoint `times` times, in an order that the seed repeats, each at one
 * of its next few passes.
 *
 * @param times - 0 takes the plans back; less than 1 chooses that part of the failpoints
 */
export function writePlans(
  folder: string,
  failpoints: Readonly<Record<string, readonly string[]>>,
  times: number,
  random: Random,
): void {
  for (const [process, names] of Object.entries(failpoints)) {
    const stream = random.stream(process);
    const rounds = Array.from({ length: Math.ceil(times) }, () => stream.shuffled(names)).flat();
    const lines = rounds
      .slice(0, Math.ceil(names.length * times))
      .map((name) => `${name} ${stream.integer(1, 5)}`);
    writeFileSync(join(folder, `${process}.plan`), lines.map((line) => `${line}\n`).join(""));
  }
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
