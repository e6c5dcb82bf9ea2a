/** Which faults come when: a list without end that a seed repeats. */
import { type LinkFault, linkFaultKinds, linkFaultOf } from "../faults/fault-proxy.ts";
import type { Random } from "./random.ts";
import { linkName, type SystemUnderTest } from "./system-under-test.ts";

/** A fault to come. */
export interface PlannedFault {
  /** Position in the schedule. */
  readonly number: number;
  /** Milliseconds after the load began. */
  readonly at: number;
  /** "kill", "pause", "link", or one of the system's own. */
  readonly kind: string;
  /** Process or link; undefined for the system's own faults, which choose for themselves. */
  readonly target?: string;
  /** Milliseconds until it is healed; a kill heals itself. */
  readonly lasts: number;
  readonly link?: LinkFault;
}

/** Weights of the faults that the harness can do to any system. */
const ownWeights = { kill: 6, pause: 2, link: 4 };

/** Kinds of faults that a system may get. */
export function kindsOf(system: SystemUnderTest<never>): string[] {
  return [...Object.keys(ownWeights), ...Object.keys(system.ownFaults)];
}

export interface ScheduleOptions {
  readonly random: Random;
  /** Of faults to choose from. */
  readonly kinds: ReadonlySet<string>;
  /** Mean milliseconds between two faults; each comes up to a quarter earlier or later. */
  readonly every: number;
  /** Processes and links that are hit; all of the system if left out. */
  readonly on?: ReadonlySet<string>;
  /** Shortest and longest time of a fault in milliseconds. */
  readonly lasting?: readonly [number, number];
}

/**
 * Makes the schedule.
 * @throws Error when a kind is chosen that has no target among `on`
 */
export function* scheduleOf(
  system: SystemUnderTest<never>,
  { random, kinds, every, on, lasting = [500, 4_000] }: ScheduleOptions,
): Generator<PlannedFault, never> {
  const processes = system.processes.filter((name) => on?.has(name) ?? true);
  const links = system.links.map(linkName).filter((name) => on?.has(name) ?? true);
  const weights = Object.fromEntries(
    Object.entries({ ...ownWeights, ...system.ownFaults }).filter(([kind]) => kinds.has(kind)),
  );
  for (let number = 1; ; number++) {
    const at = Math.round((number + random.next() / 2 - 0.25) * every);
    const kind = random.weighted(weights);
    const lasts = random.integer(...lasting);
    const base = { number, at, kind, lasts };
    if (kind === "kill" || kind === "pause") yield { ...base, target: random.pick(processes) };
    else if (kind === "link") {
      const target = random.pick(links);
      yield { ...base, target, link: linkFaultOf(random.pick(linkFaultKinds), random) };
    } else yield base;
  }
}
