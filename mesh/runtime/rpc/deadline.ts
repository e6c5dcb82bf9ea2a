import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { policyOf } from "../policy/method-policy.ts";
import { currentContext, runInContext } from "../telemetry/context.ts";
import { overStream } from "./over-stream.ts";

/** Part of the remaining time that a hop keeps to itself, so that it can still answer, in milliseconds. */
const hopMarginMs = 20;

/**
 * Ends a call at its deadline: the caller's, or the method's timeout when that is sooner. The handler's
 * signal is aborted and the deadline stands in the context, where outgoing calls take theirs from.
 */
export function enforceDeadline(): Interceptor {
  return (next) => async (request) => {
    const context = currentContext();
    const deadline = Math.min(context?.deadline ?? Infinity, Date.now() + policyOf(request.method).timeoutMs);
    const remaining = deadline - Date.now();
    if (remaining <= 0) throw exceeded();
    const clock = new AbortController();
    const signal = AbortSignal.any([request.signal, clock.signal]);
    const work = () => next({ ...request, signal });
    const running = context ? runInContext({ ...context, deadline }, work) : work();
    const { promise: late, reject } = Promise.withResolvers<never>();
    late.catch(() => {}); // a stream's deadline may pass when nobody waits here any more
    const timer = setTimeout(() => {
      clock.abort(exceeded());
      reject(exceeded());
    }, remaining);
    const stop = () => clearTimeout(timer);
    try {
      const reply = await Promise.race([running, late]);
      if (reply.stream) return { ...reply, message: overStream(reply.message, { onEnd: stop }) };
      stop();
      return reply;
    } catch (error) {
      stop();
      throw error;
    }
  };
}

/**
 * Time an outgoing call may take, in milliseconds: the method's timeout, or what is left of the
 * request being served less a margin, whichever is shorter.
 * @throws ConnectError DEADLINE_EXCEEDED when nothing is left
 */
export function outgoingTimeout(policyTimeoutMs: number, wanted?: number): number {
  const deadline = currentContext()?.deadline;
  const left = deadline === undefined ? Infinity : deadline - Date.now() - hopMarginMs;
  if (left <= 0) throw exceeded();
  return Math.ceil(Math.min(policyTimeoutMs, wanted ?? Infinity, left));
}

function exceeded(): ConnectError {
  return new ConnectError("the deadline has passed", Code.DeadlineExceeded);
}
