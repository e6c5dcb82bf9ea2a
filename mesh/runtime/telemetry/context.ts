/**
 * What belongs to one request and travels with it through every hop: the request id, the W3C trace
 * context, the deadline and the user's token. Kept in AsyncLocalStorage so that log lines, outgoing
 * calls and outbox rows carry it without every function passing it on.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomFillSync, randomUUID } from "node:crypto";
import { parseTraceparent } from "./traceparent.ts";
import type { LocalTrace } from "./tracer.ts";

/** Context of the request being served. */
export interface RequestContext {
  /** Id that joins everything done for one request (header X-Request-ID). */
  readonly requestId: string;
  /** 32 hex digits (W3C Trace Context, section 3.2.2.3). */
  readonly traceId: string;
  /** 16 hex digits: the span of this process; parent of spans downstream. */
  readonly spanId: string;
  /** Two hex digits of trace flags. */
  readonly traceFlags: string;
  /** When the work must be done, in milliseconds since 1970; undefined: no deadline. */
  readonly deadline?: number;
  /** Header value "Bearer ..." of the user on whose behalf the work is done. */
  readonly authorization?: string;
  /** Takes the spans of what is done; undefined where nobody collects them. */
  readonly trace?: LocalTrace;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Context of the running request; undefined outside of one. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Runs `work` with `context` as the current one. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** Runs `work` in no context: what is done for everybody must not end with the request that happened to start it. */
export function runOutsideOfRequests<T>(work: () => T): T {
  return storage.exit(work);
}

const requestIdPattern = /^[\w.:-]{1,128}$/;

/** The request id that a caller sent, if it is one: 1 to 128 letters, digits, ".", ":", "-" or "_"; else a new one. */
export function requestIdFrom(sent: string | null | undefined): string {
  return sent && requestIdPattern.test(sent) ? sent : randomUUID();
}

/**
 * Context for work that arrives with these headers, without spans; `Tracer.open` is for work with them. A missing
 * or malformed request id or traceparent is replaced by a new one (W3C Trace Context, section 4.3).
 */
export function contextFromHeaders(
  headers: { requestId?: string | null; traceparent?: string | null },
  rest: Pick<RequestContext, "deadline" | "authorization"> = {},
): RequestContext {
  const parent = parseTraceparent(headers.traceparent);
  return {
    requestId: requestIdFrom(headers.requestId),
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    traceFlags: parent?.sampled === false ? "00" : "01",
    ...rest,
  };
}

const pool = Buffer.allocUnsafeSlow(4_096);
let taken = pool.length;

/** Random bytes as hex digits, from a pool: a system call for each id costs more than the rest of a context. */
export function randomHex(bytes: number): string {
  if (taken + bytes > pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += bytes;
  return pool.toString("hex", taken - bytes, taken);
}

/** Value of the header traceparent for calls made within `context`. */
export function traceparentOf({
  traceId,
  spanId,
  traceFlags,
}: Pick<RequestContext, "traceId" | "spanId" | "traceFlags">): string {
  return `00-${traceId}-${spanId}-${traceFlags}`;
}
