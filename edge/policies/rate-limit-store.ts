import { type Decision, decide, type Gcra } from "./gcra.ts";

/** Where the state of rate limits is kept. */
export interface RateLimitStore {
  /**
   * Counts one request.
   * @param key names limit and sender; at most some hundred characters
   * @param now milliseconds since 1970
   */
  take(limit: Gcra, key: string, now: number): Decision | Promise<Decision>;
  close(): Promise<void>;
}

/** Keys kept in memory by one edge: about 20 MB at most. */
export const DEFAULT_MAX_KEYS = 100_000;

/**
 * Limits of one process. Bounded: the keys that were used least recently make room. Who is forgotten in this
 * way starts anew, which takes an attacker more addresses than there are places; they would not be stopped
 * by a limit per address anyway.
 */
export class MemoryRateLimits implements RateLimitStore {
  readonly #tats = new Map<string, number>();
  readonly #maxKeys: number;

  constructor(maxKeys: number = DEFAULT_MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  take(limit: Gcra, key: string, now: number): Decision {
    const known = this.#tats.get(key);
    const decision = decide(limit, known, now);
    this.remember(key, decision.tat, now);
    return decision;
  }

  /** TAT of a key; undefined where there is none. */
  known(key: string): number | undefined {
    return this.#tats.get(key);
  }

  /** Keeps a TAT, as the one used most recently. */
  remember(key: string, tat: number, now: number): void {
    if (!this.#tats.delete(key)) this.#makeRoom(now);
    this.#tats.set(key, tat);
  }

  /** Keys in use. */
  get size(): number {
    return this.#tats.size;
  }

  async close(): Promise<void> {}

  /** Each new key may clear away two whose time is over, so the map shrinks by itself. */
  #makeRoom(now: number): void {
    for (let i = 0; i < 2; i++) {
      const oldest = this.#tats.entries().next().value;
      if (!oldest) return;
      const [key, tat] = oldest;
      if (tat > now && this.#tats.size < this.#maxKeys) return;
      this.#tats.delete(key);
    }
  }
}
