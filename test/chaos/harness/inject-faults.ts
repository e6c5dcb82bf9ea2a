/** Faults as they are injected, healed and remembered. */
import { setTimeout as pause } from "node:timers/promises";
import { killProcess, pauseProcess } from "../faults/process-faults.ts";
import type { Random } from "./random.ts";
import type { PlannedFault } from "./schedule.ts";
import type { Injected, SystemInTest } from "./system-under-test.ts";

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

/** Injects faults, heals them when their time is up, and remembers both. */
export class Faults {
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

  /** Kinds that were injected. */
  get injected(): ReadonlySet<string> {
    return new Set(this.records.filter(({ skipped }) => skipped === undefined).map(({ kind }) => kind));
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
