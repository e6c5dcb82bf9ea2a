import type { Leash } from "./leash.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import { type Part, type Supervised, supervise } from "./supervise.ts";
import type { Places, System } from "./topology.ts";

/** One run of the system: what it is made of, and what has been started so far. */
export type Run = {
  system: System;
  options: Options;
  places: Places;
  /** Root of the repository. */
  root: string;
  output: Output;
  leash: Leash;
  started: Started;
  /** Told when a process has ended or is ready again. */
  onChange: () => void;
};

/**
 * Everything that must be ended. Filled while starting, so that a start can be
 * interrupted at any point.
 */
export type Started = {
  /** In order of starting; parts of one inner list may end at the same time. */
  parts: Supervised[][];
  /** Things in the runner's own process; ended after all parts, the last one first. */
  others: (() => Promise<void> | void)[];
  /** Nothing may be started any more. */
  ended: boolean;
};

/** Supervises parts from now on; those that end at the same time are given together. */
export function startParts(run: Run, parts: Part[]): Supervised[] {
  const { started, output } = run;
  if (started.ended) throw new Error("the start was interrupted");
  const supervised = parts.map((part) =>
    supervise(part, {
      ...run.system.restarts,
      onCrash: (text) => {
        output.warn(text);
        run.onChange();
      },
      onReady: () => run.onChange(),
    }),
  );
  started.parts.push(supervised);
  return supervised;
}

/** Ends what was started, in reverse order. */
export async function endStarted(started: Started): Promise<void> {
  started.ended = true;
  for (const parts of started.parts.toReversed()) await Promise.all(parts.map((part) => part.stop()));
  for (const end of started.others.toReversed()) await end();
}
