/** Plans for mesh/runtime/failpoint.ts, and what became of them. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../harness/random.ts";

/** Failpoint → times. */
export type Counts = Record<string, number>;

/** What happened at the failpoints of all processes together. */
export interface FailpointFigures {
  readonly passes: Counts;
  readonly crashes: Counts;
}

/** A crash comes at one of the next so many passes. */
const mostPasses = 12;
/** Processes that have a crash before them at once: when all die again and again, nothing reaches the later failpoints. */
const atOnce = 3;
const feedEveryMs = 200;

/** A crash to come. */
export interface PlannedCrash {
  readonly process: string;
  readonly failpoint: string;
  readonly passes: number;
}

/**
 * `times` crashes at every failpoint, shared among the processes that pass it, in an order that the seed repeats.
 * @param times - less than 1 chooses that part of the failpoints
 */
export function planCrashes(
  failpoints: Readonly<Record<string, readonly string[]>>,
  times: number,
  random: Random,
): PlannedCrash[] {
  const processes = Object.keys(failpoints);
  const names = random.shuffled([...new Set(Object.values(failpoints).flat())]);
  return Array.from({ length: Math.ceil(names.length * times) }, (_, crash) => {
    const failpoint = names[crash % names.length] as string;
    const process = random.pick(processes.filter((candidate) => failpoints[candidate]?.includes(failpoint)));
    return { process, failpoint, passes: random.integer(1, mostPasses) };
  });
}

/** Gives the processes their crashes, a few at a time, until it is stopped. */
export class CrashPlans {
  readonly #folder: string;
  readonly #waiting: PlannedCrash[];
  readonly #processes: readonly string[];
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, crashes: readonly PlannedCrash[]) {
    this.#folder = folder;
    this.#waiting = [...crashes];
    this.#processes = [...new Set(crashes.map(({ process }) => process))];
    for (const process of this.#processes) writeFileSync(join(folder, `${process}.plan`), "");
  }

  start(): void {
    this.feed();
    this.#timer = setInterval(() => this.feed(), feedEveryMs);
  }

  /** Tells processes that have no crash before them of their next one. */
  feed(): void {
    const busy = new Set(this.#processes.filter((process) => this.#pending(process) > 0));
    while (busy.size < atOnce) {
      const next = this.#waiting.findIndex(({ process }) => !busy.has(process));
      if (next < 0) return;
      const [{ process, failpoint, passes }] = this.#waiting.splice(next, 1) as [PlannedCrash];
      appendFileSync(join(this.#folder, `${process}.plan`), `${failpoint} ${passes}\n`);
      busy.add(process);
    }
  }

  /** Takes back what has not happened. @returns how many crashes that are */
  stop(): number {
    clearInterval(this.#timer);
    const left =
      this.#waiting.length + this.#processes.reduce((sum, process) => sum + this.#pending(process), 0);
    for (const process of this.#processes) writeFileSync(join(this.#folder, `${process}.plan`), "");
    return left;
  }

  #pending(process: string): number {
    return linesOf(this.#folder, process, "plan").length - linesOf(this.#folder, process, "crashes").length;
  }
}

/** Reads what has happened so far. */
export function failpointFigures(folder: string, processes: readonly string[]): FailpointFigures {
  const all = (kind: string) => processes.flatMap((process) => linesOf(folder, process, kind));
  return { passes: count(all("passes")), crashes: count(all("crashes")) };
}

function linesOf(folder: string, process: string, kind: string): string[] {
  try {
    return readFileSync(join(folder, `${process}.${kind}`), "utf8")
      .split("\n")
      .slice(0, -1);
  } catch {
    return []; // never started with failpoints
  }
}

function count(names: readonly string[]): Counts {
  const counts: Counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
