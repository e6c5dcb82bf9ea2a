/** Milliseconds an answer to a ping may take, at the longest. */
const LONGEST_ANSWER_MS = 5_000;
/**
 * Streams given up one after the other, with nothing heard in between, after which the peer may have vanished
 * without a word. Asking it by a ping for each would cost the calls of a peer that is merely slow: servers end
 * connections that ping more often than they like (gRFC A8).
 */
const GIVEN_UP_IN_A_ROW = 2;

/** What a connection does to find out whether its peer is there. */
export interface LivenessChecks {
  /** Milliseconds between pings while the connection is busy. */
  readonly intervalMs: number;
  isBusy(): boolean;
  ping(): void;
  /** A ping has had no answer within the interval, or 5 s. */
  onLost(): void;
}

/**
 * Whether the peer of a connection is still there. Without it a connection whose peer vanished without a FIN would
 * hang its streams until the kernel gives up.
 */
export class Liveness {
  readonly #checks: LivenessChecks;
  #pings: NodeJS.Timeout | undefined;
  /** Runs while a ping waits for its answer. */
  #answer: NodeJS.Timeout | undefined;
  /** Streams given up since the peer was last heard. */
  #givenUp = 0;

  constructor(checks: LivenessChecks) {
    this.#checks = checks;
  }

  start(): void {
    this.#pings ??= setInterval(() => this.#look(), this.#checks.intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#pings);
    clearTimeout(this.#answer);
  }

  /** Something came from the peer. */
  heard(): void {
    this.#givenUp = 0;
  }

  /** The peer has answered a ping. */
  answered(): void {
    clearTimeout(this.#answer);
    this.#answer = undefined;
  }

  /** @returns whether the peer had better get no new streams */
  gaveUp(): boolean {
    return ++this.#givenUp >= GIVEN_UP_IN_A_ROW;
  }

  /** A ping that is under way goes on waiting, also when the streams have ended by then. */
  #look(): void {
    if (this.#answer || !this.#checks.isBusy()) return;
    const { intervalMs } = this.#checks;
    this.#answer = setTimeout(() => this.#checks.onLost(), Math.min(intervalMs, LONGEST_ANSWER_MS)).unref();
    this.#checks.ping();
  }
}
