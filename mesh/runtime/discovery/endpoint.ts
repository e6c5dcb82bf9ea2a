/** Failures in a row after which a replica is left out. */
const mostFailures = 5;
/** First time out, in milliseconds; doubles with each time in a row, up to the longest. */
const firstEjectionMs = 1_000;
const longestEjectionMs = 30_000;

/** What a call says of the replica that served it. "unreachable": no connection could be made. */
export type Outcome = "good" | "bad" | "unreachable";

/** Connections to one address: a pool of whatever kind makes the calls. */
export interface Connections {
  /** Calls in flight. */
  readonly openStreams: number;
  /** Lets calls in flight finish. */
  close(): unknown;
  destroy(): void;
}

/** One replica of an upstream, as this process sees it. */
export class Endpoint<C extends Connections = Connections> {
  readonly address: string;
  /** Name in the registry; undefined for one that only the settings know. */
  instance: string | undefined;
  /** Tells one process from the next at the same address. */
  startedAt: string | undefined;
  readonly connections: C;
  #failures = 0;
  /** Times out in a row. */
  #ejections = 0;
  #ejectedUntil = 0;

  constructor(address: string, connections: C) {
    this.address = address;
    this.connections = connections;
  }

  /** Calls in flight. */
  get outstanding(): number {
    return this.connections.openStreams;
  }

  get failures(): number {
    return this.#failures;
  }

  get isEjected(): boolean {
    return this.#ejectedUntil > 0;
  }

  /** When it may be asked whether it is well again, in milliseconds of `performance.now()`. */
  get ejectedUntil(): number {
    return this.#ejectedUntil;
  }

  /** Notes how a call ended; returns whether the replica should be left out now. */
  note(outcome: Outcome): boolean {
    if (outcome === "good") {
      this.#failures = 0;
      if (!this.isEjected) this.#ejections = 0;
      return false;
    }
    this.#failures++;
    return !this.isEjected && (outcome === "unreachable" || this.#failures >= mostFailures);
  }

  /** Leaves it out, each time in a row for longer; jittered, so that callers do not come back together. */
  eject(now: number): void {
    const time = Math.min(longestEjectionMs, firstEjectionMs * 2 ** this.#ejections++);
    this.#ejectedUntil = now + time * (0.8 + Math.random() * 0.4);
  }

  /** Takes it back; a new failure soon after puts it out for longer. */
  readmit(): void {
    this.#ejectedUntil = 0;
    this.#failures = 0;
  }

  /** Forgets everything: another process is there now. */
  reset(startedAt: string | undefined): void {
    this.startedAt = startedAt;
    this.readmit();
    this.#ejections = 0;
  }
}
