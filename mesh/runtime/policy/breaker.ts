/** Breaker and bulkhead of one upstream method, built from the contract with cockatiel. */
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
} from "cockatiel";
import { ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { FailureBreaker } from "./failure-breaker.ts";
import type { ResolvedPolicy } from "./method-policy.ts";

/** Runs calls to one upstream under its breaker and its concurrency limit. */
export interface Guard {
  /**
   * @param timeoutMs time the call has; Infinity when left out
   * @throws ConnectError UNAVAILABLE while the breaker is open, RESOURCE_EXHAUSTED when the bulkhead is full
   */
  run<T>(call: () => Promise<T>, timeoutMs?: number): Promise<T>;
  readonly state: "closed" | "open" | "half-open";
  /** Since the process began. */
  readonly opened: number;
  readonly rejectedOpen: number;
  readonly rejectedFull: number;
}

const stateNames = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Isolated]: "open",
} as const;

/** A deadline that struck although the call had little time says nothing of the upstream. */
class Impatient extends Error {}

/**
 * @param name upstream or method the guard is for; appears in error texts and logs
 * @param onChange hears when the breaker opens, and when it closes again
 */
export function createGuard(
  name: string,
  policy: ResolvedPolicy,
  onChange: (state: "open" | "closed") => void = () => {},
): Guard {
  const { openMs, maxOpenMs } = policy.breaker;
  const breaker = circuitBreaker(handleWhen(isFailure), {
    halfOpenAfter: new ExponentialBackoff({ initialDelay: openMs, maxDelay: maxOpenMs }),
    breaker: new FailureBreaker(policy.breaker),
  });
  const places = bulkhead(policy.concurrency.limit, policy.concurrency.queue);
  const counts = { opened: 0, rejectedOpen: 0, rejectedFull: 0 };
  // Also called for each trial that fails; that is no other opening.
  let open = false;
  breaker.onBreak(() => {
    if (open) return;
    open = true;
    counts.opened++;
    onChange("open");
  });
  breaker.onReset(() => {
    open = false;
    onChange("closed");
  });
  return {
    async run(call, timeoutMs = Number.POSITIVE_INFINITY) {
      const patient = timeoutMs >= policy.timeoutMs / 2;
      try {
        return await places.execute(() => breaker.execute(patient ? call : () => orImpatient(call)));
      } catch (error) {
        if (error instanceof Impatient) throw error.cause;
        if (error instanceof BrokenCircuitError) {
          counts.rejectedOpen++;
          throw new ConnectError(`${name}: breaker is open`, Code.Unavailable);
        }
        if (error instanceof BulkheadRejectedError) {
          counts.rejectedFull++;
          throw new ConnectError(`${name}: too many calls in flight`, Code.ResourceExhausted);
        }
        throw error;
      }
    },
    get state() {
      return stateNames[breaker.state];
    },
    get opened() {
      return counts.opened;
    },
    get rejectedOpen() {
      return counts.rejectedOpen;
    },
    get rejectedFull() {
      return counts.rejectedFull;
    },
  };
}

/** Whether an error speaks of the upstream's health; all others are answers. */
function isFailure(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  if (error.code === Code.Unavailable || error.code === Code.DeadlineExceeded) return true;
  // With a reason it is about the caller, or a replica that gives up what it cannot serve, and serves the rest.
  return error.code === Code.ResourceExhausted && error.findDetails(ErrorInfoSchema).length === 0;
}

async function orImpatient<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.DeadlineExceeded)
      throw new Impatient("too little time", { cause: error });
    throw error;
  }
}
