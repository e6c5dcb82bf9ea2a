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
import { type FailpointFigures, failpointFigures, writePlans } from "../faults/failpoint-plan.ts";
import { killProcess, pauseProcess } from "../faults/process-faults.ts";
import { type Entry, History } from "./history.ts";
import { Random } from "./random.ts";
import { type PlannedFault, scheduleOf } from "./schedule.ts";
import {
  checkInvariants,
  type Injected,
  type SystemInTest,
  type SystemUnderTest,
  type Violation,
} from "./system-under-test.ts";

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
  /** Planned crashes at each failpoint; less than 1: at that part of the failpoints. */
  readonly crashes: number;
  /** Empty folder for the data of the run. */
  readonly folder: string;
  /** Folder for the history. */
  readonly out: string;
  readonly say: (line: string) => void;
  /** Ends load and faults early; what has happened by then is checked all the same. */
  readonly enough?: AbortSignal;
}

/** A fault that was injected, or could not be. */
export interface FaultRecord {
  readonly number: number;
  readonly kind: string;
  readonly target: string;
  readonly detail: string;
  /** Milliseconds since the run began. */
  readonly from: number;
  readonly to: number;
  /** When the process was ready again, after a kill. */
  readonly ready?: number;
  /** Why it was not injected. */
  readonly skipped?: string;
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
  readonly failpoints: FailpointFigures;
  /** Milliseconds: of the load, from the last fault to all work final, and to nothing under way. */
  readonly loadTook: number;
  readonly finalAfter: number | undefined;
  readonly quietAfter: number | undefined;
  /** Kinds that this machine cannot inject, with the reason. */
  readonly impossible: readonly string[];
  /** Milliseconds since 1970 at which the run began. */
  readonly began: number;
}

/** What the harness adds to a system's evidence. */
export interface Rest {
  readonly finalAfter: number | undefined;
  readonly quietAfter: number | undefined;
  readonly unfinished: string;
}

const sampleEvery = 500;
/** Longest wait for final work and then for what follows from it, in milliseconds. */
const finalPatience = 120_000;
const quietPatience = 60_000;

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
    if (options.crashes > 0)
      writePlans(failpoints, system.failpoints, options.crashes, random.stream("failpoints"));
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
      });
      if (possible.size > 0)
        for (const fault of schedule) {
          await Promise.race([pause(fault.at - (Date.now() - loadBegan)), stopFaults]);
          if (ended || options.enough?.aborted) break;
          faults.inject(fault);
          if (fault.number === options.faults) break;
        }
      if (options.faults !== undefined) await faults.over();
      faultsOver = true;
      await loaded;
    } finally {
      clearInterval(telling);
    }
    const loadTook = Date.now() - loadBegan;
    const { left } = failpointFigures(failpoints, system.processes);
    if (options.crashes > 0) writePlans(failpoints, system.failpoints, 0, random);
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

/** Injects faults, heals them when their time is up, and remembers both. */
class Faults {
  readonly records: FaultRecord[] = [];
  readonly #system: SystemInTest<unknown>;
  readonly #since: () => number;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  /** Heals what is broken now, by target. */
  readonly #active = new Map<string, () => Promise<void>>();
  readonly #work = new Set<Promise<void>>();

  constructor(
    system: SystemInTest<unknown>,
    since: () => number,
    random: Random,
    say: (line: string) => void,
  ) {
    this.#system = system;
    this.#since = since;
    this.#random = random;
    this.#say = say;
  }

  /** Begins a fault; returns at once. */
  inject(fault: PlannedFault): void {
    const work = this.#do(fault).finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  /** Resolves when every fault has had its time. */
  async over(): Promise<void> {
    await Promise.all(this.#work);
  }

  /** Heals everything. */
  async end(): Promise<void> {
    for (const heal of this.#active.values()) await heal();
    await Promise.all(this.#work);
  }

  async #do(fault: PlannedFault): Promise<void> {
    const { number, kind, lasts } = fault;
    const from = this.#since();
    const name = fault.target ?? kind;
    if (this.#active.has(name)) return this.#skip(fault, "its target is under another fault");
    const healed = Promise.withResolvers<void>();
    this.#active.set(name, async () => healed.resolve());
    try {
      const { target, detail, heal } = await this.#begin(fault);
      this.#say(`${String(from).padStart(7)} ms  #${number} ${kind} ${target}: ${detail}`);
      if (kind === "kill") await this.#killed(fault, target, detail, from);
      else {
        await Promise.race([pause(lasts), healed.promise]);
        await heal();
        this.records.push({ number, kind, target, detail, from, to: this.#since() });
      }
    } catch (error) {
      this.#skip(fault, (error as Error).message);
    } finally {
      this.#active.delete(name);
    }
  }

  async #begin({ kind, target, link, number }: PlannedFault): Promise<Injected> {
    if (kind === "link") {
      const proxy = this.#system.proxies.get(target!);
      if (!proxy || !link) throw new Error(`there is no proxy on ${target}`);
      proxy.spoil(link);
      const detail = link.delay ? `${link.kind} ${link.delay} ms` : link.kind;
      return { target: target!, detail, heal: async () => proxy.heal() };
    }
    if (kind !== "kill" && kind !== "pause")
      return this.#system.inject(kind, this.#random.stream(String(number)));
    const pid = this.#system.pid(target!);
    if (pid === undefined) throw new Error("it is not running at that moment");
    return kind === "kill" ? killProcess(target!, pid) : pauseProcess(target!, pid);
  }

  async #killed(fault: PlannedFault, target: string, detail: string, from: number): Promise<void> {
    await this.#backAgain(target, Number(detail.split(" ")[1]));
    const ready = this.#since();
    this.records.push({ number: fault.number, kind: fault.kind, target, detail, from, to: ready, ready });
  }

  /** Waits until a process has another id than before. */
  async #backAgain(target: string, before: number): Promise<void> {
    for (const end = Date.now() + 90_000; ; ) {
      const pid = this.#system.pid(target);
      if (pid !== undefined && pid !== before) return;
      if (Date.now() > end) throw new Error(`${target} is not running again after 90 s`);
      await pause(20);
    }
  }

  #skip({ number, kind, target = "" }: PlannedFault, skipped: string): void {
    const now = this.#since();
    this.records.push({ number, kind, target, detail: "", from: now, to: now, skipped });
    this.#say(`${String(now).padStart(7)} ms  #${number} ${kind} ${target} not injected: ${skipped}`);
  }
}

async function waitUntilQuiet(system: SystemInTest<unknown>, lastFault: number): Promise<Rest> {
  let finalAfter: number | undefined;
  let unfinished = "nothing could be read";
  for (;;) {
    const now = Date.now() - lastFault;
    try {
      const { open, rest } = await system.underWay();
      if (open === 0) finalAfter ??= now;
      unfinished = [...(open ? [`${open} are not final`] : []), ...(rest ? [rest] : [])].join(", ");
      if (unfinished === "") return { finalAfter, quietAfter: now, unfinished };
    } catch (error) {
      unfinished = (error as Error).message; // a database is still starting
    }
    if (now > (finalAfter === undefined ? finalPatience : finalAfter + quietPatience))
      return { finalAfter, quietAfter: undefined, unfinished };
    await pause(200);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
