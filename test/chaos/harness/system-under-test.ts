/** All that the harness knows of a system. One file describes one system: shop/shop.ts is the shop's. */
import type { FaultProxy } from "../faults/fault-proxy.ts";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";

/** The way from one process to another, or to a server. */
export interface Link {
  readonly from: string;
  readonly to: string;
}

export function linkName({ from, to }: Link): string {
  return `${from}→${to}`;
}

/** What a run asks of a system before it starts. */
export interface Setup {
  /** Empty folder for everything the system keeps. */
  readonly folder: string;
  /** Folder from which the processes take their failpoints (mesh/runtime/failpoint.ts). */
  readonly failpoints: string;
  /** Kinds of faults that may come. What only some of them need is left out otherwise. */
  readonly kinds: ReadonlySet<string>;
}

/** A system that harness, load and checks can be run against. */
export interface SystemUnderTest<Evidence> {
  readonly name: string;
  /** Processes that may be killed and paused; the system starts them again by itself. */
  readonly processes: readonly string[];
  readonly links: readonly Link[];
  /** Failpoints that each process passes under load. */
  readonly failpoints: Readonly<Record<string, readonly string[]>>;
  /** Weights of the faults that this system adds to the harness's own, by kind. */
  readonly ownFaults: Readonly<Record<string, number>>;
  readonly invariants: readonly Invariant<Evidence>[];
  start(setup: Setup): Promise<SystemInTest<Evidence>>;
}

/** A running system. */
export interface SystemInTest<Evidence> {
  /** Process id; undefined while it is being started again. */
  pid(process: string): number | undefined;
  /** Proxies by name of the link; empty when no fault of this run needs them. */
  readonly proxies: ReadonlyMap<string, FaultProxy>;
  /** The system's own faults. Rejects with Unavailable where the machine cannot do it. */
  inject(kind: string, random: Random): Promise<Injected>;
  /** Why a kind of fault cannot be injected here; undefined when it can. */
  cannot(kind: string): string | undefined;
  /** Makes ready what the load needs, before any fault. */
  prepare(random: Random, history: History): Promise<Load>;
  /** What is still under way; empty when all work has ended. */
  underWay(): Promise<UnderWay>;
  /** Notes what must hold at any moment; called every half second. */
  sample(): Promise<void>;
  /** Reads what the run has left behind, and ends the system. */
  evidence(): Promise<Evidence>;
  /** Ends the system. May be called again. */
  stop(): Promise<void>;
}

/** Work that has not ended. */
export interface UnderWay {
  /** Units of work (the shop's: orders) that are not final. */
  readonly open: number;
  /** What follows from them and is not done yet, in words; empty when nothing is. */
  readonly rest: string;
}

/** A fault that holds until it is healed. */
export interface Injected {
  readonly target: string;
  /** What was done, for the report. */
  readonly detail: string;
  heal(): Promise<void>;
}

/** Load that is ready to run. */
export interface Load {
  /** Does units of work until there are enough of them, and returns when each has its answer. */
  run(enough: () => boolean): Promise<void>;
  /** Units that have their answer so far. */
  done(): number;
}

/** A promise of the system. */
export interface Invariant<Evidence> {
  readonly name: string;
  readonly promise: string;
  /** Breaches in words; empty when it holds. */
  check(evidence: Evidence): string[];
}

/** A breach found. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

/** Checks every invariant. One that fails to look is a breach, too. */
export function checkInvariants<Evidence>(
  invariants: readonly Invariant<Evidence>[],
  evidence: Evidence,
): Violation[] {
  return invariants.flatMap(({ name, check }) => {
    try {
      return check(evidence).map((detail) => ({ invariant: name, detail }));
    } catch (error) {
      return [{ invariant: name, detail: `could not be checked: ${(error as Error).stack}` }];
    }
  });
}
