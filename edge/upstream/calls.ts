/** gRPC calls to an upstream: requests, answers, deadlines (gRPC over HTTP/2). */
import http2, { type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { formatTimeout, LONGEST_TIMER_MS } from "../transcode/deadline.ts";
import { brokenStream, readStatus } from "../transcode/grpc-status.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { Call, CallSink, StartCall } from "../transcode/upstream-call.ts";
import { headerField, headerFields } from "./header-block.ts";
import type { Pool } from "./pool.ts";
import type { Stream, StreamFailure, StreamListener } from "./stream.ts";

const { NGHTTP2_CANCEL } = http2.constants;

/** Paths whose headers are kept; more than any contract has methods. */
const MOST_PATHS = 10_000;
const GRPC = headerField("content-type", "application/grpc");

/** Starts calls on the connections of a pool. */
export function upstreamCalls(pool: Pool): StartCall {
  /** What the headers of all calls of a method have in common. */
  const beginnings = new Map<string, string>();
  const beginningOf = (path: string): string => {
    let block = beginnings.get(path);
    if (block === undefined) {
      block =
        headerField(":method", "POST") +
        headerField(":scheme", pool.scheme) +
        headerField(":path", path) +
        headerField(":authority", pool.authority) +
        headerField("te", "trailers");
      if (beginnings.size < MOST_PATHS) beginnings.set(path, block);
    }
    return block;
  };
  return (path, metadata, timeoutMs, sink) =>
    new UpstreamCall(pool, beginningOf(path), metadata, timeoutMs, sink);
}

const NOBODY: CallSink = { onHeaders() {}, onData() {}, onEnd() {} };

class UpstreamCall implements Call, StreamListener {
  readonly #pool: Pool;
  #block: string;
  #sink: CallSink;
  #stream: Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #httpStatus = 0;
  #trailers: IncomingHttpHeaders | undefined;
  #drained: (() => void) | undefined;
  /** The whole request while it can be sent again: until an answer comes or a second write. */
  #again: Buffer | undefined;
  #writes = 0;

  constructor(
    pool: Pool,
    beginning: string,
    metadata: OutgoingHttpHeaders,
    timeoutMs: number | undefined,
    sink: CallSink,
  ) {
    this.#pool = pool;
    this.#sink = sink;
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
    this.#stream = this.#pool.open(this.#block, this);
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
    this.#finish(readStatus(trailers, this.#httpStatus), trailers);
  }

  onFailure({ code, connectionLost, unprocessed }: StreamFailure): void {
    const request = this.#again;
    this.#again = undefined;
    // Whatever the call does: the upstream has not looked at it.
    if (unprocessed && request && this.#httpStatus === 0 && !this.#ended) {
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
