import { CircuitState } from "cockatiel";
import { FailureBreaker } from "#mesh/runtime/policy/failure-breaker.ts";
import type { ResolvedPolicy } from "#mesh/runtime/policy/method-policy.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import { TurnTime } from "./turn-time.ts";

/** What a call says of its upstream; a call that the client gave up says nothing. */
export type Health = "good" | "bad" | "unknown";

/** Turns of this process's event loop that a call takes: to leave, and for its end to be seen. */
const TURNS = 2;
const turnTime = new TurnTime();

/** Shares of a method's time that its calls may take on average, always and at most; the slowest take several times as long. */
const [ALWAYS, AT_MOST] = [0.05, 0.25];

/**
 * Breaker and bound of the calls in flight to one upstream method. It opens as those between
 * services do (mesh/runtime/policy/breaker.ts), without cockatiel's promises, since every call of the edge comes by.
 */
export class UpstreamGuard {
  readonly #breaker: FailureBreaker;
  readonly #policy: ResolvedPolicy["breaker"];
  readonly #limit: AdaptiveLimit;
  readonly #onChange: (state: "open" | "closed") => void;
  #inFlight = 0;
  #state: CircuitState = CircuitState.Closed;
  #opened = 0;
  #opensUntil = 0;
  /** Since the process began. */
  readonly counts = { opened: 0, rejectedOpen: 0, rejectedFull: 0 };

  /** @param onChange hears when the breaker opens, and when it closes again */
  constructor(
    policy: Pick<ResolvedPolicy, "breaker" | "edgeConcurrency" | "timeoutMs">,
    onChange: (state: "open" | "closed") => void,
  ) {
    this.#breaker = new FailureBreaker(policy.breaker);
    this.#policy = policy.breaker;
    this.#limit = new AdaptiveLimit(
      policy.edgeConcurrency,
      policy.timeoutMs * ALWAYS,
      policy.timeoutMs * AT_MOST,
    );
    this.#onChange = onChange;
  }

  /**
   * Asks to make a call; after "go" there must be one `leave`.
   * @param now milliseconds of any clock that only goes forward
   * @returns "open": the upstream fails too often, wait; "full": there are as many calls in flight as it can do
   */
  enter(now: number): "go" | "open" | "full" {
    if (this.#state !== CircuitState.Closed) {
      // While half open there is one probe under way, and nobody else may go.
      if (this.#state === CircuitState.HalfOpen || now < this.#opensUntil) {
        this.counts.rejectedOpen++;
        return "open";
      }
      this.#state = CircuitState.HalfOpen;
    }
    if (this.#inFlight >= this.#limit.value) {
      this.counts.rejectedFull++;
      return "full";
    }
    this.#limit.began(++this.#inFlight);
    return "go";
  }

  get state(): "closed" | "open" | "half-open" {
    if (this.#state === CircuitState.Closed) return "closed";
    return this.#state === CircuitState.HalfOpen ? "half-open" : "open";
  }

  /** Calls that may be in flight now. */
  get limit(): number {
    return this.#limit.value;
  }

  /**
   * A call is over.
   * @param startedAt when the upstream had all of it, where the time since then is the upstream's
   */
  leave(health: Health, now: number, startedAt?: number): void {
    this.#inFlight--;
    // When this process is late all calls seem to take long; then it sheds load (shed-load.ts), and no upstream is at fault.
    if (startedAt !== undefined) this.#limit.ended(startedAt, now, TURNS * turnTime.meanMs(now));
    if (health === "good") {
      const recovered = this.#state === CircuitState.HalfOpen;
      this.#breaker.success(this.#state);
      if (!recovered) return;
      this.#state = CircuitState.Closed;
      this.#opened = 0;
      this.#onChange("closed");
    } else if (this.#state === CircuitState.HalfOpen) {
      // A probe that nobody waited for leaves the question open; the next one may ask it at once.
      if (health === "bad") this.#open(now);
      else this.#state = CircuitState.Open;
    } else if (
      health === "bad" &&
      this.#breaker.failure(this.#state) &&
      this.#state === CircuitState.Closed
    ) {
      this.counts.opened++;
      this.#onChange("open");
      this.#open(now);
    }
  }

  /** Milliseconds until the next probe. */
  waitMs(now: number): number {
    return Math.max(0, this.#opensUntil - now);
  }

  /** Doubles with each failed probe; jittered, so that several edges do not probe together. */
  #open(now: number): void {
    this.#state = CircuitState.Open;
    const { openMs, maxOpenMs } = this.#policy;
    const wait = Math.min(maxOpenMs, openMs * 2 ** this.#opened++);
    this.#opensUntil = now + wait * (0.75 + Math.random() / 4);
  }
}
