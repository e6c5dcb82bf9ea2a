/**
 * DESIGN
 *
 * One run: start the system, prepare the load, let load and faults go at the same time, heal everything when the
 * load has its answers, wait until nothing is under way, end the system, check the evidence.
 *
 * What a seed repeats: the load's choices, the schedule of faults, the plans of the failpoints. What it does not:
 * how the operating system interleaves processes. A seed that found something finds it again often, not always.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  CrashPlans,
  type FailpointFigures,
  failpointFigures,
  planCrashes,
} from "../faults/failpoint-plan.ts";
import { type Entry, History } from "./history.ts";
import { type FaultRecord, Faults } from "./inject-faults.ts";
import { Random } from "./random.ts";
import { scheduleOf } from "./schedule.ts";
import { checkInvariants, type SystemUnderTest, type Violation } from "./system-under-test.ts";
import { type Rest, waitUntilQuiet } from "./wait-until-quiet.ts";

export interface CampaignOptions {
  readonly seed: string;
  /** Units of load (the shop's: orders) at least. */
  readonly units: number;
  /** Faults, after which the load ends as soon as its units are done; as many as fit into the load if left out. */
  readonly faults?: number;
  /** Mean milliseconds between two faults. */
  readonly every: number;
  /** Kinds of faults. */
  readonly kinds: ReadonlySet<string>;
  /** Processes and links that are hit; all if left out. */
  readonly on?: ReadonlySet<string>;
  /** Shortest and longest time of a fault in milliseconds. */
  readonly lasting?: readonly [number, number];
  /** Planned crashes at each failpoint; less than 1: at that part of the failpoints. */
  readonly crashes: number;
  /** How the system was made, as arguments: what repeats the run must say it. */
  readonly systemArguments?: string;
  /** Empty folder for the data of the run. */
  readonly folder: string;
  /** Folder for the history. */
  readonly out: string;
  readonly say: (line: string) => void;
  /** Ends load and faults early; what has happened by then is checked all the same. */
  readonly enough?: AbortSignal;
}

/** What a run has found. */
export interface CampaignResult<Evidence> {
  readonly system: string;
  readonly seed: string;
  readonly options: CampaignOptions;
  readonly evidence: Evidence;
  readonly history: readonly Entry[];
  readonly faults: readonly FaultRecord[];
  readonly violations: readonly Violation[];
  /** With the number of crashes that were planned and did not come. */
  readonly failpoints: FailpointFigures & { readonly left: number };
  /** Milliseconds: of the load, from the last fault to all work final, and to nothing under way. */
  readonly loadTook: number;
  readonly finalAfter: number | undefined;
  readonly quietAfter: number | undefined;
  /** Kinds that this machine cannot inject, with the reason. */
  readonly impossible: readonly string[];
  /** Milliseconds since 1970 at which the run began. */
  readonly began: number;
}

const sampleEvery = 500;

export async function runCampaign<Evidence extends Rest>(
  system: SystemUnderTest<Evidence>,
  options: CampaignOptions,
): Promise<CampaignResult<Evidence>> {
  const { seed, folder, out, say, units } = options;
  const random = new Random(seed);
  const failpoints = join(folder, "failpoints");
  mkdirSync(failpoints, { recursive: true });
  const began = Date.now();
  const history = new History(began, join(out, "history.jsonl"));
  say(`seed ${seed}: starting the ${system.name}`);
  const running = await system.start({ folder, failpoints, kinds: options.kinds });
  try {
    const impossible = [...options.kinds].flatMap((kind) => {
      const reason = running.cannot(kind);
      return reason === undefined ? [] : [`${kind}: skipped: ${reason}`];
    });
    for (const line of impossible) say(line);
    const possible = new Set([...options.kinds].filter((kind) => running.cannot(kind) === undefined));
    const load = await running.prepare(random.stream("load"), history);

    const since = () => Date.now() - began;
    const faults = new Faults(running, since, random.stream("faults"), say);
    const crashes = planCrashes(system.failpoints, options.crashes, random.stream("failpoints"));
    const plans = new CrashPlans(failpoints, crashes);
    plans.start();
    const sampling = setInterval(() => void running.sample().catch(() => {}), sampleEvery);
    const loadBegan = Date.now();
    let faultsOver = options.faults === undefined;
    const loaded = load.run(() => options.enough?.aborted || (load.done() >= units && faultsOver));
    let ended = false;
    const stopFaults = loaded.then(() => {
      ended = true;
    });
    const telling = setInterval(
      () => say(`${load.done()} of ${units} after ${Math.round(since() / 1000)} s`),
      10_000,
    );
    try {
      const schedule = scheduleOf(system as SystemUnderTest<never>, {
        random: random.stream("schedule"),
        kinds: possible,
        every: options.every,
        on: options.on,
        lasting: options.lasting,
      });
      if (possible.size > 0)
        for (const fault of schedule) {
          if (options.faults !== undefined && fault.number > options.faults) {
            // A kind that could never be injected, its target being down, gets the next chances.
            await faults.over();
            const missing = possible.difference(faults.injected);
            if (missing.size === 0 || fault.number > 20 * options.faults) break;
            if (!missing.has(fault.kind)) continue;
          } else await Promise.race([pause(fault.at - (Date.now() - loadBegan)), stopFaults]);
          if (ended || options.enough?.aborted) break;
          faults.inject(fault);
        }
      if (options.faults !== undefined) await faults.over();
      faultsOver = true;
      await loaded;
    } finally {
      clearInterval(telling);
    }
    const loadTook = Date.now() - loadBegan;
    const left = plans.stop();
    await faults.end();
    const lastFault = Date.now();
    say(
      `${load.done()} units have their answers after ${loadTook} ms; ${faults.records.length} faults are healed`,
    );

    const { finalAfter, quietAfter, unfinished } = await waitUntilQuiet(running, lastFault);
    clearInterval(sampling);
    say(unfinished ? `still under way: ${unfinished}` : `nothing is under way after ${quietAfter} ms`);
    const evidence = { ...(await running.evidence()), finalAfter, quietAfter, unfinished };
    await history.end();
    return {
      system: system.name,
      seed,
      options,
      evidence,
      history: history.entries,
      faults: faults.records,
      violations: checkInvariants(system.invariants, evidence),
      failpoints: { ...failpointFigures(failpoints, system.processes), left },
      loadTook,
      finalAfter,
      quietAfter,
      impossible,
      began,
    };
  } finally {
    await running.stop();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
