/** Keys whose first unpublished event is refused: they wait while others go on. */

const firstWait = 1_000;
const longestWait = 60_000;
/** Keys remembered. Beyond that the oldest is forgotten, and tried again at once. */
const limit = 1_000;

/** Remembers for how long each key has to wait; the wait doubles with each refusal, from 1 s to 60 s. */
export class BlockedKeys {
  readonly #clock: () => number;
  readonly #keys = new Map<string, { until: number; wait: number }>();

  /** @param clock - milliseconds since 1970. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Keys that have to wait now. */
  current(): string[] {
    const now = this.#clock();
    // A key is kept for a while after its wait, so that the next refusal doubles it.
    for (const [key, { until }] of this.#keys) if (now > until + longestWait) this.#keys.delete(key);
    return [...this.#keys].filter(([, { until }]) => until > now).map(([key]) => key);
  }

  /** Blocks a key. @returns for how many milliseconds. */
  block(key: string): number {
    const wait = Math.min(longestWait, (this.#keys.get(key)?.wait ?? firstWait / 2) * 2);
    this.#keys.delete(key);
    this.#keys.set(key, { until: this.#clock() + wait, wait });
    if (this.#keys.size > limit) this.#keys.delete(this.#keys.keys().next().value as string);
    return wait;
  }
}
