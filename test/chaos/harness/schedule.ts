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

/**
 * Makes the schedule.
 *
 * @param kinds - of faults to choose from
 * @param every - mean milliseconds between two faults; each comes up to a quarter earlier or later
 */
export function* scheduleOf(
  system: SystemUnderTest<never>,
  { random, kinds, every }: { random: Random; kinds: ReadonlySet<string>; every: number },
): Generator<PlannedFault, never> {
  const weights = Object.fromEntries(
    Object.entries({ ...ownWeights, ...system.ownFaults }).filter(([kind]) => kinds.has(kind)),
  );
  for (let number = 1; ; number++) {
    const at = Math.round((number + random.next() / 2 - 0.25) * every);
    const kind = random.weighted(weights);
    const lasts = random.integer(500, 4_000);
    const base = { number, at, kind, lasts };
    if (kind === "kill" || kind === "pause") yield { ...base, target: random.pick(system.processes) };
    else if (kind === "link") {
      const target = linkName(random.pick(system.links));
      yield { ...base, target, link: linkFaultOf(random.pick(linkFaultKinds), random) };
    } else yield base;
  }
}
