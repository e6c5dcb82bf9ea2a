/** What the end of an HTTP/2 stream says of the replica at its other end. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { parseTimeout } from "../rpc/grpc/timeout.ts";
import { wasEstablished } from "../rpc/http2-sessions.ts";
import type { Outcome } from "./endpoint.ts";

const unavailable = "14";
/** Shorter times, in milliseconds, are the caller's own impatience. */
const tellingMs = 500;
/** What may be missing of a call's time when its end counts as its deadline, in milliseconds. */
const tolerance = 5;

const watched = Symbol("endpoint");

interface Watched {
  readonly session: ClientHttp2Session | undefined;
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly tell: (outcome: Outcome) => void;
  status: string | undefined;
  answered: boolean;
}

type Carrier = ClientHttp2Stream & { [watched]: Watched };

// Shared by all streams, in place of closures for each.
function onResponse(this: Carrier, headers: IncomingHttpHeaders): void {
  this[watched].answered = true;
  this[watched].status = headers["grpc-status"] as string | undefined;
}
function onTrailers(this: Carrier, trailers: IncomingHttpHeaders): void {
  this[watched].status = trailers["grpc-status"] as string | undefined;
}
function onError(this: Carrier): void {}
function onClose(this: Carrier): void {
  const outcome = outcomeOf(this, this[watched]);
  if (outcome) this[watched].tell(outcome);
}

/** Tells how the call on a stream ended; nothing when its end says nothing of the replica. */
export function watchOutcome(
  stream: ClientHttp2Stream,
  timeout: unknown,
  tell: (outcome: Outcome) => void,
): void {
  const carrier = stream as Carrier;
  carrier[watched] = {
    session: stream.session as ClientHttp2Session | undefined,
    startedAt: performance.now(),
    timeoutMs: typeof timeout === "string" ? parseTimeout(timeout) : Number.POSITIVE_INFINITY,
    tell,
    status: undefined,
    answered: false,
  };
  carrier.on("response", onResponse).on("trailers", onTrailers).on("error", onError).on("close", onClose);
}

function outcomeOf(stream: ClientHttp2Stream, call: Watched): Outcome | undefined {
  if (call.session && !wasEstablished(call.session))
    return call.session.destroyed ? "unreachable" : undefined;
  if (call.status !== undefined) return call.status === unavailable ? "bad" : "good";
  // The connection went down under the call.
  if (call.session?.destroyed) return "bad";
  if (call.answered) return "good";
  // Ended by us before a word came: at its deadline it says that the replica hangs, sooner it says nothing.
  if (call.timeoutMs < tellingMs) return undefined;
  const late = performance.now() - call.startedAt >= call.timeoutMs - tolerance;
  return stream.rstCode !== 0 && late ? "bad" : undefined;
}
