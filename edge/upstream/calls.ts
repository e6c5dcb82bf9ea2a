/** gRPC calls to an upstream: requests, answers, deadlines (gRPC over HTTP/2). */
import http2, { type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { Outcome } from "#mesh/runtime/discovery/endpoint.ts";
import { formatTimeout, LONGEST_TIMER_MS } from "../transcode/deadline.ts";
import { brokenStream, readStatus } from "../transcode/grpc-status.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { Call, CallSink, StartCall } from "../transcode/upstream-call.ts";
import { headerField, headerFields } from "./header-block.ts";
import type { Stream, StreamFailure, StreamListener } from "./stream.ts";

const { NGHTTP2_CANCEL } = http2.constants;

/** Paths whose headers are kept; more than any contract has methods. */
const MOST_PATHS = 10_000;
const GRPC = headerField("content-type", "application/grpc");

/** Where the calls to one upstream go: to a pool, or to the replicas of a service. */
export interface CallTargets {
  /** As in `:authority` and `:scheme`, whatever the address. */
  readonly authority: string;
  readonly scheme: string;
  /** Whether a call that reached nobody may find somebody else. */
  readonly hasOthers?: boolean;
  /** Where the next call goes. @throws Error when there is nothing */
  pick(): CallTarget;
}

export interface CallTarget {
  open(block: string, listener: StreamListener): Stream;
  /** Takes what a call says of the target's health. */
  note?(outcome: Outcome): void;
}

/** Time without an answer, in milliseconds, that says something of the upstream. */
const TELLING_MS = 500;
/** Times a call may look for a replica that takes it. */
const MOST_TRIES = 3;

/** Starts calls to an upstream. */
export function upstreamCalls(targets: CallTargets): StartCall {
  /** What the headers of all calls of a method have in common. */
  const beginnings = new Map<string, string>();
  const beginningOf = (path: string): string => {
    let block = beginnings.get(path);
    if (block === undefined) {
      block =
        headerField(":method", "POST") +
        headerField(":scheme", targets.scheme) +
        headerField(":path", path) +
        headerField(":authority", targets.authority) +
        headerField("te", "trailers");
      if (beginnings.size < MOST_PATHS) beginnings.set(path, block);
    }
    return block;
  };
  return (path, metadata, timeoutMs, sink) =>
    new UpstreamCall(targets, beginningOf(path), metadata, timeoutMs, sink);
}

const NOBODY: CallSink = { onHeaders() {}, onData() {}, onEnd() {} };

class UpstreamCall implements Call, StreamListener {
  readonly #targets: CallTargets;
  #target: CallTarget | undefined;
  #tries = 0;
  #block: string;
  #sink: CallSink;
  #stream: Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  readonly #timeoutMs: number;
  #httpStatus = 0;
  #trailers: IncomingHttpHeaders | undefined;
  #drained: (() => void) | undefined;
  /** The whole request while it can be sent again: until an answer comes or a second write. */
  #again: Buffer | undefined;
  #writes = 0;

  constructor(
    targets: CallTargets,
    beginning: string,
    metadata: OutgoingHttpHeaders,
    timeoutMs: number | undefined,
    sink: CallSink,
  ) {
    this.#targets = targets;
    this.#sink = sink;
    this.#timeoutMs = timeoutMs ?? 0;
    this.#block = beginning;
    try {
      if (metadata["content-type"] === undefined) this.#block += GRPC;
      if (timeoutMs !== undefined) {
        this.#block += headerField("grpc-timeout", formatTimeout(timeoutMs));
        this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(1, timeoutMs), LONGEST_TIMER_MS));
      }
      this.#block += headerFields(metadata);
      this.#open();
    } catch (error) {
      const cause = error as Error;
      // The caller must have its call in hand before it hears of the end.
      queueMicrotask(() =>
        this.#finish(new StatusError(Code.unavailable, "the upstream is not available", { cause })),
      );
    }
  }

  #open(): void {
    this.#tries++;
    this.#target = this.#targets.pick();
    this.#stream = this.#target.open(this.#block, this);
  }

  onFields(headers: IncomingHttpHeaders & { ":status"?: number }): void {
    if (this.#httpStatus !== 0) {
      this.#trailers = headers;
      return;
    }
    this.#again = undefined;
    this.#httpStatus = headers[":status"] ?? 0;
    if (headers["grpc-status"] !== undefined || this.#httpStatus !== 200) this.#trailers = headers;
    else if (!this.#ended) this.#sink.onHeaders(headers);
  }

  onData(chunk: Buffer): void {
    if (!this.#ended && !this.#trailers) this.#sink.onData(chunk);
  }

  onComplete(): void {
    const trailers = this.#trailers ?? {};
    const error = readStatus(trailers, this.#httpStatus);
    this.#target?.note?.(error?.code === Code.unavailable ? "bad" : "good");
    this.#finish(error, trailers);
  }

  onFailure({ code, connectionLost, unreachable, unprocessed }: StreamFailure): void {
    if (connectionLost) this.#target?.note?.(unreachable ? "unreachable" : "bad");
    const request = this.#again;
    const elsewhere = unreachable && this.#targets.hasOthers && this.#tries < MOST_TRIES;
    if (!elsewhere) this.#again = undefined;
    // Whatever the call does: nobody has looked at it.
    if ((unprocessed || elsewhere) && request && this.#httpStatus === 0 && !this.#ended) {
      try {
        this.#open();
        this.#stream!.write(request, true);
        return;
      } catch {
        // The pool is closed.
      }
    }
    // The status of a trailers-only answer may come before what breaks the stream off.
    if (this.#trailers) return this.onComplete();
    this.#finish(brokenStream(code, connectionLost));
  }

  onRoom(): void {
    this.#drained?.();
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  #finish(error: StatusError | undefined, trailers: IncomingHttpHeaders = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const sink = this.#sink;
    // What belongs to the call must not be kept by its stream.
    this.#sink = NOBODY;
    this.#again = undefined;
    sink.onEnd({ error, trailers });
  }

  #expire(): void {
    // A client that gives little time must not be able to have a replica left out.
    if (this.#httpStatus === 0 && this.#timeoutMs >= TELLING_MS) this.#target?.note?.("bad");
    this.#finish(new StatusError(Code.deadlineExceeded, "the deadline of the call has passed"));
    this.#stream?.reset(NGHTTP2_CANCEL);
  }

  write(chunk: Buffer): boolean {
    this.#writes++;
    if (!this.#stream || this.#ended) return true;
    return this.#stream.write(chunk, false);
  }

  end(chunk?: Buffer): void {
    if (!this.#stream || this.#ended) return;
    if (chunk && this.#writes === 0 && this.#httpStatus === 0) this.#again = chunk;
    this.#stream.write(chunk ?? NOTHING, true);
  }

  cancel(): void {
    this.#finish(new StatusError(Code.cancelled, "the call was cancelled"));
    this.#stream?.reset(NGHTTP2_CANCEL);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }
}

const NOTHING = Buffer.alloc(0);
