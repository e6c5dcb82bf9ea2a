import { type CircuitState, type IBreaker, SamplingBreaker } from "cockatiel";
import type { ResolvedPolicy } from "./method-policy.ts";

/** Failures in a row, and milliseconds without a success, after which an upstream is down and not unlucky. */
const outrightFailures = 8;
const outrightMs = 1_000;

/**
 * When to stop calling: too large a share of the calls in the window failed, or nothing but failures for a while.
 * A window alone would take half its length to see that an upstream that was well is down; a count alone would open
 * when a replica dies with many calls in flight.
 */
export class FailureBreaker implements IBreaker {
  readonly #sampling: SamplingBreaker;
  #failures = 0;
  #failsSince = 0;

  constructor({ ratio, minimumRps, windowMs }: ResolvedPolicy["breaker"]) {
    this.#sampling = new SamplingBreaker({ threshold: ratio, duration: windowMs, minimumRps });
  }

  get state(): unknown {
    return this.#sampling.state;
  }

  set state(value: unknown) {
    this.#sampling.state = value;
  }

  success(state: CircuitState): void {
    this.#failures = 0;
    this.#sampling.success(state);
  }

  failure(state: CircuitState): boolean {
    const now = performance.now();
    if (this.#failures++ === 0) this.#failsSince = now;
    const outright = this.#failures >= outrightFailures && now - this.#failsSince >= outrightMs;
    return this.#sampling.failure(state) || outright;
  }
}
