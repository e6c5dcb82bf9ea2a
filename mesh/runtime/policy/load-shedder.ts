import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { Importance } from "#gen/weft/policy/v1/policy_pb.ts";

/** Window over which lateness is judged, in milliseconds. */
const WINDOW_MS = 500;
/** Resolution of the measurement; every delay is measured with this much on top. */
const RESOLUTION_MS = 10;
/**
 * Share of a core above which a process is busy by itself. Where many processes want the cores it may be late and get
 * no more than this; one that gets less has hardly anything to give up.
 */
const BUSY = 0.1;
/** How far one late window goes, and how far back one in time: quickly into shedding, slowly out of it. */
const UP = 0.25;
const DOWN = 0.1;
/** Windows in time one after the other behind which the overload is over, and how far back each goes from then on. */
const OVER = 4;
const DOWN_AFTER = 0.5;
/** Share of important calls that is never shed. */
const RESERVE = 0.2;

/**
 * Which calls to give up while the event loop is late. Its level goes from 0, nothing, to 3: over the first
 * whole number more and more calls of low importance are shed, over the second the normal ones too, over the
 * third the important ones, of which a fifth always passes.
 */
export class LoadShedder {
  readonly #lateMs: number;
  #level = 0;
  /** Windows in time since the last late one. */
  #inTime = 0;
  #timer: NodeJS.Timeout | undefined;
  /** What is owed of the next refusal, for each importance: spreads refusals evenly, without chance. */
  readonly #owed: Record<number, number> = {};

  /** @param lateMs 99th percentile of the event loop's delay above which load is shed */
  constructor(lateMs: number) {
    this.#lateMs = lateMs;
  }

  /**
   * Measures this process until `stop`.
   * @param afterMs milliseconds until it begins: a process that has just started is late by compiling, not by load
   */
  start(afterMs = 0): this {
    this.#timer = setTimeout(() => this.#measure(), afterMs).unref();
    return this;
  }

  #measure(): void {
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    let [usedBefore, timeBefore] = [process.cpuUsage(), performance.now()];
    this.#timer = setInterval(() => {
      const [{ user, system }, time] = [process.cpuUsage(usedBefore), performance.now()];
      this.observe(delay.percentile(99) / 1e6 - RESOLUTION_MS, (user + system) / 1_000 / (time - timeBefore));
      [usedBefore, timeBefore] = [process.cpuUsage(), time];
      delay.reset();
    }, WINDOW_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Takes one window's measurement.
   * @param p99Ms 99th percentile of the event loop's delay
   * @param cpuShare CPU time of this process in the window, of one core: about 1 is all that a loop can use. One
   *   that is late and used little waits for the machine, where other processes start perhaps; giving up calls would
   *   not help it. (The loop's own utilization counts such waiting as work.)
   */
  observe(p99Ms: number, cpuShare: number): void {
    const late = p99Ms > this.#lateMs && cpuShare > BUSY;
    this.#inTime = late ? 0 : this.#inTime + 1;
    const change = late ? UP : this.#inTime > OVER ? -DOWN_AFTER : -DOWN;
    this.#level = Math.min(3, Math.max(0, this.#level + change));
  }

  /** How much is given up: see the class. */
  get level(): number {
    return this.#level;
  }

  /** Whether to refuse a call. */
  sheds(importance: Importance): boolean {
    if (this.#level === 0) return false;
    const share = this.#shareOf(importance);
    const owed = (this.#owed[importance] ?? 0) + share;
    const refuse = owed >= 1;
    this.#owed[importance] = refuse ? owed - 1 : owed;
    return refuse;
  }

  #shareOf(importance: Importance): number {
    const within = (from: number) => Math.min(1, Math.max(0, this.#level - from));
    if (importance === Importance.LOW) return within(0);
    if (importance === Importance.HIGH) return within(2) * (1 - RESERVE);
    return within(1);
  }
}
