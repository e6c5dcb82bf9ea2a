import { performance } from "node:perf_hooks";

/** Milliseconds between two measurements. */
const MEASURE_MS = 100;

/** How long a turn of the event loop takes, waiting for something to do left out. */
export class TurnTime {
  #measuredAt = 0;
  #activeMs = 0;
  #turns = 0;
  #meanMs = 0;

  /** Mean of the turns of late, in milliseconds: what comes in during a turn is seen when it is over. */
  meanMs(now: number): number {
    if (now - this.#measuredAt < MEASURE_MS) return this.#meanMs;
    const { active } = performance.eventLoopUtilization();
    const { loopCount } = performance.nodeTiming.uvMetricsInfo;
    const turns = loopCount - this.#turns;
    if (turns > 0) this.#meanMs = (active - this.#activeMs) / turns;
    this.#measuredAt = now;
    this.#activeMs = active;
    this.#turns = loopCount;
    return this.#meanMs;
  }
}
