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
  /** Told when the state of a process has changed. */
  listeners: Set<() => void>;
};

/** What a process is, for those who list and steer it. */
export type About = {
  /** "single": all services and the edge in one process. */
  kind: "service" | "edge" | "server" | "single" | "dashboard";
  /** Name of the service, the same for all its replicas; of a server its own. */
  service: string;
  /** Number of the replica, from 1. */
  replica: number;
  /** TCP port on 127.0.0.1 where it serves; replicas of the edge share one. */
  port: number;
  /** Port of its own for health, numbers and its state, where `port` is open to the outside. */
  adminPort?: number;
  logFile: string;
};

export type RunPart = Part & { about: About };
export type RunProcess = Supervised & { about: About };

/**
 * Everything that must be ended. Filled while starting, so that a start can be
 * interrupted at any point.
 */
export type Started = {
  /** In order of starting; processes of one inner list may end at the same time. */
  parts: RunProcess[][];
  /** Things in the runner's own process; ended after all parts, the last one first. */
  others: (() => Promise<void> | void)[];
  /** Nothing may be started any more. */
  ended: boolean;
};

/** Supervises parts from now on; those that end at the same time are given together. */
export function startParts(run: Run, parts: RunPart[]): RunProcess[] {
  const group = parts.map((part) => startPart(run, part));
  run.started.parts.push(group);
  return group;
}

/** Supervises one part, which the caller adds to those that must be ended. */
export function startPart(run: Run, part: RunPart): RunProcess {
  if (run.started.ended) throw new Error("the start was interrupted");
  const supervised = supervise(part, {
    ...run.system.restarts,
    onCrash: (text) => run.output.warn(text),
    onChange: () => changed(run),
  });
  return Object.assign(supervised, { about: part.about });
}

/** Tells everybody that a process is not what it was, or not there. */
export function changed({ listeners }: Run): void {
  for (const listener of listeners) listener();
}

/** All processes there are, in order of starting. */
export function processesOf({ started }: Run): RunProcess[] {
  return started.parts.flat();
}

/** Ends what was started, in reverse order. */
export async function endStarted(started: Started): Promise<void> {
  started.ended = true;
  for (const parts of started.parts.toReversed()) await Promise.all(parts.map((part) => part.stop()));
  for (const end of started.others.toReversed()) await end();
}
