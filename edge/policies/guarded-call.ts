import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { CallEnd } from "../transcode/grpc-status.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { Call, CallSink, StartCall } from "../transcode/upstream-call.ts";
import type { MethodGuard } from "./guarded-calls.ts";
import type { Health } from "./upstream-guard.ts";

/** Codes that speak of the upstream's health; all others are answers. */
const UNHEALTHY: ReadonlySet<number> = new Set([
  Code.unavailable,
  Code.deadlineExceeded,
  Code.resourceExhausted,
]);

/**
 * One unary call and its tries. It is the call for whoever made it, and the sink of each try. A try that fails
 * before a byte of its reply has been handed on may be followed by another (gRFC A6).
 */
export class GuardedCall implements Call, CallSink {
  readonly #shared: MethodGuard;
  readonly #start: StartCall;
  readonly #path: string;
  readonly #metadata: OutgoingHttpHeaders;
  readonly #timeoutMs: number | undefined;
  readonly #sink: CallSink;
  readonly #startedAt = performance.now();
  #try: Call | undefined;
  #tries = 0;
  /** Milliseconds this try may take where that is less than the call may. */
  #tryLimitMs: number | undefined;
  /** The request, while it can be sent again: until the reply begins to be handed on. */
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  /** When the upstream of this try had the whole request; undefined while the client still sends it. */
  #sentAt: number | undefined;
  /** The reply has begun: how fast the rest comes is up to the client, too. */
  #answered = false;
  /** Initial metadata that has not been handed on, since another try may bring other. */
  #initial: IncomingHttpHeaders | undefined;
  #over = false;
  #waiting: NodeJS.Timeout | undefined;

  constructor(
    shared: MethodGuard,
    start: StartCall,
    path: string,
    metadata: OutgoingHttpHeaders,
    timeoutMs: number | undefined,
    sink: CallSink,
  ) {
    this.#shared = shared;
    this.#start = start;
    this.#path = path;
    this.#metadata = metadata;
    this.#timeoutMs = timeoutMs;
    this.#sink = sink;
    if (shared.policy.retry) this.#held = [];
    const refused = this.#begin();
    // The caller must have its call in hand before it hears of the end.
    if (refused) queueMicrotask(() => this.#finish({ error: refused, trailers: {} }));
  }

  /** Starts a try; returns why it may not. */
  #begin(): StatusError | undefined {
    const { guard, name, policy, overloaded } = this.#shared;
    const now = performance.now();
    const answer = guard.enter(now);
    if (answer === "full") return overloaded;
    if (answer === "open") {
      const seconds = Math.max(1, Math.ceil(guard.waitMs(now) / 1_000));
      return new StatusError(Code.unavailable, `${name} fails too often now`, {
        headers: { "retry-after": String(seconds) },
      });
    }
    const left = this.#left(now);
    const most = policy.retry?.perTryMs;
    this.#tryLimitMs = most !== undefined && most < left ? most : undefined;
    const timeoutMs = this.#tryLimitMs ?? (this.#timeoutMs === undefined ? undefined : left);
    if (this.#tries > 0) this.#metadata["grpc-previous-rpc-attempts"] = String(this.#tries);
    this.#tries++;
    this.#try = this.#start(this.#path, this.#metadata, timeoutMs, this);
    return undefined;
  }

  #left(now: number): number {
    return this.#timeoutMs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, this.#timeoutMs - (now - this.#startedAt));
  }

  onHeaders(metadata: IncomingHttpHeaders): void {
    if (this.#held) this.#initial = metadata;
    else this.#sink.onHeaders(metadata);
  }

  onData(chunk: Buffer): void {
    this.#answered = true;
    this.#handOn();
    this.#sink.onData(chunk);
  }

  onEnd(end: CallEnd): void {
    const now = performance.now();
    const error = end.error && this.#judged(end.error);
    const { guard, budget, policy } = this.#shared;
    guard.leave(this.#healthOf(error), now, this.#isTimed(error) ? this.#sentAt : undefined);
    if (!error) budget.succeeded();
    else if (policy.retry?.codes.has(error.code)) {
      const waitMs = this.#waitBeforeRetry(end, now);
      budget.failed();
      if (waitMs !== undefined && budget.allows) {
        this.#initial = undefined;
        this.#try = undefined;
        this.#waiting = setTimeout(() => this.#again({ ...end, error }), waitMs);
        return;
      }
    }
    this.#finish(error === end.error ? end : { ...end, error });
  }

  /** A try that took longer than one may is like an upstream that is away. */
  #judged(error: StatusError): StatusError {
    if (this.#tryLimitMs === undefined || error.code !== Code.deadlineExceeded) return error;
    return new StatusError(Code.unavailable, "the upstream took too long", { cause: error });
  }

  #healthOf(error: StatusError | undefined): Health {
    if (!error) return "good";
    if (error.code === Code.cancelled) return "unknown";
    if (!UNHEALTHY.has(error.code)) return "good";
    // A client that gives little time must not be able to close an upstream for all others, nor one that does not
    // send its request or take its reply.
    if (error.code === Code.deadlineExceeded) {
      const hurried = (this.#timeoutMs ?? 0) < this.#shared.policy.timeoutMs;
      if (hurried || this.#sentAt === undefined || this.#answered) return "unknown";
    }
    // With a reason it is about the caller, who used up a share, and not about the upstream.
    const hasReason = error.details.some(({ typeUrl }) => typeUrl.endsWith("/google.rpc.ErrorInfo"));
    return error.code === Code.resourceExhausted && hasReason ? "good" : "bad";
  }

  /** Whether the time that the call took tells how long the upstream takes: refusals come quickly. */
  #isTimed(error: StatusError | undefined): boolean {
    return error ? error.code === Code.deadlineExceeded && !this.#answered : true;
  }

  /** Milliseconds until the next try; undefined when there must be none. */
  #waitBeforeRetry({ trailers }: CallEnd, now: number): number | undefined {
    const { retry } = this.#shared.policy;
    if (!retry || !this.#held || this.#sentAt === undefined || this.#tries >= retry.attempts)
      return undefined;
    let waitMs: number;
    const pushback = trailers["grpc-retry-pushback-ms"];
    if (pushback !== undefined) {
      // The upstream knows best; anything but a number of milliseconds means: not at all.
      if (!/^\d{1,9}$/.test(String(pushback))) return undefined;
      waitMs = Number(pushback);
    } else {
      const most = Math.min(retry.maxBackoffMs, retry.baseBackoffMs * 2 ** (this.#tries - 1));
      waitMs = Math.random() * most;
    }
    return waitMs < this.#left(now) ? waitMs : undefined;
  }

  #again(failed: CallEnd): void {
    this.#waiting = undefined;
    if (this.#begin()) return this.#finish(failed);
    const request = this.#held!;
    this.#sentAt = performance.now();
    for (const chunk of request.slice(0, -1)) this.#try?.write(chunk);
    this.#try?.end(request.at(-1));
  }

  #handOn(): void {
    this.#held = undefined;
    const initial = this.#initial;
    this.#initial = undefined;
    if (initial) this.#sink.onHeaders(initial);
  }

  #finish(end: CallEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#handOn();
    this.#sink.onEnd(end);
  }

  write(chunk: Buffer): boolean {
    this.#hold(chunk);
    return this.#try?.write(chunk) ?? true;
  }

  end(chunk?: Buffer): void {
    if (chunk) this.#hold(chunk);
    this.#sentAt = performance.now();
    this.#try?.end(chunk);
  }

  /** Keeps the request to send it again; one that is larger than the contract allows is sent once. */
  #hold(chunk: Buffer): void {
    if (!this.#held) return;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > this.#shared.policy.maxRequestBytes + 5) this.#handOn();
  }

  cancel(): void {
    clearTimeout(this.#waiting);
    if (this.#try) this.#try.cancel();
    else this.#finish({ error: new StatusError(Code.cancelled, "the call was cancelled"), trailers: {} });
  }

  pause(): void {
    this.#try?.pause();
  }

  resume(): void {
    this.#try?.resume();
  }

  onDrain(listener: () => void): void {
    this.#try?.onDrain(listener);
  }
}
