import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import { policyOf } from "../policy/method-policy.ts";
import { currentContext, type RequestContext, runInContext } from "../telemetry/context.ts";
import { overStream } from "./over-stream.ts";

/** Part of the remaining time that a hop keeps to itself, so that it can still answer, in milliseconds. */
const hopMarginMs = 20;

/** The deadline of a call whose server ends it at that time by itself. */
export interface KeptDeadline {
  /** When the call must be done, in milliseconds since 1970; Infinity for never. */
  at: number;
  /** Called when the call ends before its handler: the time has passed, or the caller has left. */
  onCut: ((reason: ConnectError) => void) | undefined;
}

type AnyNext = Parameters<Interceptor>[0];
type AnyRequest = Parameters<AnyNext>[0];
type AnyReply = Awaited<ReturnType<AnyNext>>;

/** Set by servers that know the method's timeout. */
export const keptDeadline = createContextKey<KeptDeadline | undefined>(undefined, {
  description: "kept deadline",
});

/**
 * Ends a call at its deadline: the caller's, or the method's timeout when that is sooner. The handler's
 * signal is aborted and the deadline stands in the context, where outgoing calls take theirs from.
 */
export function enforceDeadline(): Interceptor {
  return (next) => (request) => {
    const context = currentContext();
    const kept = request.contextValues.get(keptDeadline);
    const deadline =
      kept?.at ?? Math.min(context?.deadline ?? Infinity, Date.now() + policyOf(request.method).timeoutMs);
    const remaining = deadline - Date.now();
    if (remaining <= 0) throw exceeded();
    if (kept)
      return unlessCut(
        within(context, deadline, () => next(request)),
        kept,
      );
    return timed(request, remaining, (timedRequest) => within(context, deadline, () => next(timedRequest)));
  };
}

/** Makes a call that nobody else ends at its deadline. */
async function timed(request: AnyRequest, remainingMs: number, next: AnyNext): Promise<AnyReply> {
  const { signal, stop } = startClock(request.signal, remainingMs);
  try {
    const reply = await unlessAborted(next({ ...request, signal }), signal);
    if (reply.stream) return { ...reply, message: overStream(reply.message, { onEnd: stop }) };
    stop();
    return reply;
  } catch (error) {
    stop();
    throw error;
  }
}

function within<T>(context: RequestContext | undefined, deadline: number, work: () => T): T {
  if (!context || context.deadline === deadline) return work();
  return runInContext({ ...context, deadline }, work);
}

/** A signal that follows `outer` and is aborted after `timeoutMs`. */
function startClock(outer: AbortSignal, timeoutMs: number): { signal: AbortSignal; stop: () => void } {
  const abort = new AbortController();
  const follow = () => abort.abort(outer.reason);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  const timer = setTimeout(() => abort.abort(exceeded()), timeoutMs);
  return {
    signal: abort.signal,
    stop: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", follow);
    },
  };
}

/** Settles like `running`, or fails when the server ends the call first. */
function unlessCut<T>(running: Promise<T>, kept: KeptDeadline): Promise<T> {
  return new Promise((resolve, reject) => {
    kept.onCut = reject;
    running.then(resolve, reject);
  });
}

/** Settles like `running`, or fails with the signal's reason when that is aborted first. */
function unlessAborted<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    const done = () => signal.removeEventListener("abort", onAbort);
    running.then(
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
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
