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
  SamplingBreaker,
} from "cockatiel";
import type { ResolvedPolicy } from "./method-policy.ts";

/** Runs calls to one upstream under its breaker and its concurrency limit. */
export interface Guard {
  /**
   * @throws ConnectError UNAVAILABLE while the breaker is open, RESOURCE_EXHAUSTED when the bulkhead is full
   */
  run<T>(call: () => Promise<T>): Promise<T>;
  readonly state: "closed" | "open" | "half-open" | "isolated";
}

/** Codes that speak of the upstream's health; all others are answers. */
const countsAsFailure: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
]);

const stateNames = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Isolated]: "isolated",
} as const;

/** @param name upstream or method the guard is for; appears in error texts and logs */
export function createGuard(name: string, policy: ResolvedPolicy): Guard {
  const { ratio, minimumRps, windowMs, openMs, maxOpenMs } = policy.breaker;
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof ConnectError && countsAsFailure.has(error.code)),
    {
      halfOpenAfter: new ExponentialBackoff({ initialDelay: openMs, maxDelay: maxOpenMs }),
      breaker: new SamplingBreaker({ threshold: ratio, duration: windowMs, minimumRps }),
    },
  );
  const places = bulkhead(policy.concurrency.limit, policy.concurrency.queue);
  return {
    async run(call) {
      try {
        return await places.execute(() => breaker.execute(call));
      } catch (error) {
        if (error instanceof BrokenCircuitError)
          throw new ConnectError(`${name}: breaker is open`, Code.Unavailable);
        if (error instanceof BulkheadRejectedError)
          throw new ConnectError(`${name}: too many calls in flight`, Code.ResourceExhausted);
        throw error;
      }
    },
    get state() {
      return stateNames[breaker.state];
    },
  };
}
