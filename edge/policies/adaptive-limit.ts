/** Calls that finish within one look at how long they took, and milliseconds that a look takes, at least. */
const LEAST_CALLS = 10;
const LEAST_MS = 100;
/** What the limit is multiplied with at one look, at least and at most. */
const SHRINK = 0.5;
const GROW = 1.2;
/** Share of the limit that has to be used before it may grow. */
const IN_USE = 0.8;
/** Below this many calls there is no queue worth shortening. */
const LEAST_LIMIT = 16;
/** How many times its usual time a call may take on average: the rest of it is waiting. */
const STRETCH = 8;
/** What the usual time grows by at one look, where calls have come to take longer by themselves. */
const FORGET = 1.01;

/**
 * How many calls of one method may be in flight, found by how long they take. When more come than the upstream can
 * do, they wait somewhere on the way until their time is over, and all that was done for them is lost. Calls in
 * flight, calls a second and the time of each hang together (Little's law): with fewer in flight each takes less
 * time, and as many are answered. So while the mean time is above the aim, the limit shrinks in that proportion;
 * while it is below and the limit is used, it grows again. The aim is several times what calls take when they need
 * not wait, within bounds: one that takes long by itself is not taken for one that waits.
 */
export class AdaptiveLimit {
  readonly #least: number;
  readonly #most: number;
  readonly #leastAimMs: number;
  readonly #mostAimMs: number;
  #usualMs = Number.POSITIVE_INFINITY;
  #limit: number;
  #since = Number.NEGATIVE_INFINITY;
  #calls = 0;
  #totalMs = 0;
  #peak = 0;

  /**
   * @param most limit while nothing is slow
   * @param leastAimMs mean time of a call that is never too long
   * @param mostAimMs mean time of a call that is always too long
   */
  constructor(most: number, leastAimMs: number, mostAimMs: number) {
    this.#most = most;
    this.#least = Math.min(LEAST_LIMIT, most);
    this.#leastAimMs = leastAimMs;
    this.#mostAimMs = mostAimMs;
    this.#limit = most;
  }

  get value(): number {
    return Math.floor(this.#limit);
  }

  /** A call begins. @param inFlight with this one */
  began(inFlight: number): void {
    if (inFlight > this.#peak) this.#peak = inFlight;
  }

  /**
   * A call is over.
   * @param now milliseconds of the clock that `startedAt` is from
   * @param ownMs part of the time in between that is not the upstream's
   */
  ended(startedAt: number, now: number, ownMs = 0): void {
    // It met the queue that another limit has left: only what began since tells of this one.
    if (startedAt < this.#since) return;
    this.#calls++;
    this.#totalMs += Math.max(0, now - startedAt - ownMs);
    if (this.#calls < LEAST_CALLS || now - this.#since < LEAST_MS) return;
    this.#adjust(Math.max(1, this.#totalMs / this.#calls));
    this.#since = now;
    this.#calls = 0;
    this.#totalMs = 0;
    this.#peak = 0;
  }

  #adjust(meanMs: number): void {
    this.#usualMs = Math.min(meanMs, this.#usualMs * FORGET);
    const aimMs = Math.min(this.#mostAimMs, Math.max(this.#leastAimMs, this.#usualMs * STRETCH));
    const ratio = aimMs / meanMs;
    if (ratio < 1) {
      const used = Math.min(this.#limit, this.#peak);
      this.#limit = Math.max(this.#least, used * Math.max(SHRINK, ratio));
    } else if (this.#peak >= this.#limit * IN_USE) {
      this.#limit = Math.min(this.#most, Math.max(this.#limit + 1, this.#limit * Math.min(GROW, ratio)));
    }
  }
}
