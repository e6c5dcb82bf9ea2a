import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { formatTimeout, LONGEST_TIMER_MS } from "./deadline.ts";
import { brokenStream, type CallEnd, readStatus } from "./grpc-status.ts";
import { Code, StatusError } from "./status.ts";

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;

/** Opens HTTP/2 streams to one upstream; the connection pool of the mesh runtime is one. */
export interface StreamSource {
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream;
}

/** Who listens to a call. `onEnd` comes exactly once and last. */
export interface CallSink {
  /** Initial metadata; not called for a trailers-only response. */
  onHeaders(metadata: IncomingHttpHeaders): void;
  /** Bytes in gRPC framing, cut anywhere. */
  onData(chunk: Buffer): void;
  onEnd(end: CallEnd): void;
}

/** One gRPC call as seen by whoever makes it. */
export interface Call {
  /** Sends bytes in gRPC framing; false means: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  /** Sends the last bytes, or none, and half-closes. */
  end(chunk?: Buffer): void;
  /** Ends the call; the sink then gets CANCELLED. */
  cancel(): void;
  pause(): void;
  resume(): void;
  onDrain(listener: () => void): void;
}

/** Starts a call; one implementation goes to an upstream, others answer within the process. */
export type StartCall = (
  path: string,
  metadata: OutgoingHttpHeaders,
  timeoutMs: number | undefined,
  sink: CallSink,
) => Call;

/** Calls through pooled HTTP/2 sessions, without web streams or header objects in between. */
export function upstreamCalls(source: StreamSource): StartCall {
  return (path, metadata, timeoutMs, sink) => new UpstreamCall(source, path, metadata, timeoutMs, sink);
}

/** Its call, on a stream: so all streams share their listeners, in place of six closures each. */
const carried = Symbol("upstream call");
type Carrier = ClientHttp2Stream & { [carried]: UpstreamCall };

function onResponse(this: Carrier, headers: IncomingHttpHeaders): void {
  this[carried].onResponse(headers);
}
function onData(this: Carrier, chunk: Buffer): void {
  this[carried].onData(chunk);
}
function onTrailers(this: Carrier, trailers: IncomingHttpHeaders): void {
  this[carried].onTrailers(trailers);
}
function onEnd(this: Carrier): void {
  this[carried].onEnd();
}
function onError(this: Carrier, error: Error): void {
  this[carried].onError(error);
}
function onClose(this: Carrier): void {
  this[carried].onClose();
}

const NOBODY: CallSink = { onHeaders() {}, onData() {}, onEnd() {} };
const NO_HEADERS: OutgoingHttpHeaders = Object.freeze({});

class UpstreamCall implements Call {
  readonly #source: StreamSource;
  #headers: OutgoingHttpHeaders;
  #sink: CallSink;
  #stream!: ClientHttp2Stream;
  #session: ClientHttp2Session | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #httpStatus = 0;
  #trailers: IncomingHttpHeaders | undefined;
  #error: Error | undefined;
  /** The whole request while it can be sent again: until an answer comes or a second write. */
  #again: Buffer | undefined;
  #writes = 0;

  constructor(
    source: StreamSource,
    path: string,
    metadata: OutgoingHttpHeaders,
    timeoutMs: number | undefined,
    sink: CallSink,
  ) {
    this.#source = source;
    this.#sink = sink;
    metadata[":method"] = "POST";
    metadata[":path"] = path;
    metadata["content-type"] ??= "application/grpc";
    metadata.te = "trailers";
    if (timeoutMs !== undefined) {
      metadata["grpc-timeout"] = formatTimeout(timeoutMs);
      this.#timer = setTimeout(() => this.#expire(), Math.min(Math.max(1, timeoutMs), LONGEST_TIMER_MS));
    }
    this.#headers = metadata;
    this.#open();
  }

  #open(): void {
    try {
      this.#stream = this.#source.request(this.#headers);
    } catch (error) {
      const cause = error as Error;
      queueMicrotask(() =>
        this.#finish(new StatusError(Code.unavailable, "the upstream is not available", { cause })),
      );
      return;
    }
    const stream = this.#stream;
    this.#session = stream.session as ClientHttp2Session | undefined;
    (stream as Carrier)[carried] = this;
    stream.on("response", onResponse);
    stream.on("data", onData);
    stream.on("trailers", onTrailers);
    stream.on("end", onEnd);
    stream.on("error", onError);
    stream.on("close", onClose);
  }

  onResponse(headers: IncomingHttpHeaders & { ":status"?: number }): void {
    this.#again = undefined;
    this.#httpStatus = headers[":status"] ?? 0;
    if (headers["grpc-status"] !== undefined || this.#httpStatus !== 200) this.#trailers = headers;
    else if (!this.#ended) this.#sink.onHeaders(headers);
  }

  onData(chunk: Buffer): void {
    if (!this.#ended) this.#sink.onData(chunk);
  }

  onTrailers(trailers: IncomingHttpHeaders): void {
    this.#trailers = trailers;
  }

  onEnd(): void {
    if (this.#trailers) this.#finishWith(this.#trailers);
  }

  onError(error: Error): void {
    this.#error = error;
  }

  onClose(): void {
    if (this.#ended) return;
    if (this.#trailers) return this.#finishWith(this.#trailers);
    const { rstCode } = this.#stream;
    const request = this.#again;
    if (request && this.#httpStatus === 0 && wasNeverProcessed(rstCode, this.#error)) {
      this.#again = undefined;
      this.#error = undefined;
      this.#open();
      this.#stream?.end(request);
      return;
    }
    if (this.#httpStatus === 200 && rstCode === 0 && !this.#error) return this.#finishWith({});
    this.#finish(brokenStream(rstCode, this.#error, this.#session?.destroyed === true));
  }

  #finishWith(trailers: IncomingHttpHeaders): void {
    this.#finish(readStatus(trailers, this.#httpStatus), trailers);
    // The request may still be on its way; nobody wants it any more.
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.close(NGHTTP2_CANCEL);
  }

  #finish(error: StatusError | undefined, trailers: IncomingHttpHeaders = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const sink = this.#sink;
    // Streams outlive their calls in the heap; what belongs to the call must not be kept along with them.
    this.#sink = NOBODY;
    this.#headers = NO_HEADERS;
    this.#again = undefined;
    sink.onEnd({ error, trailers });
  }

  #expire(): void {
    this.#finish(new StatusError(Code.deadlineExceeded, "the deadline of the call has passed"));
    this.#stream?.close(NGHTTP2_CANCEL);
  }

  write(chunk: Buffer): boolean {
    this.#writes++;
    if (!this.#stream || this.#ended) return true;
    return this.#stream.write(chunk);
  }

  end(chunk?: Buffer): void {
    if (!this.#stream || this.#ended) return;
    if (chunk && this.#writes === 0 && this.#httpStatus === 0) this.#again = chunk;
    this.#stream.end(chunk);
  }

  cancel(): void {
    this.#finish(new StatusError(Code.cancelled, "the call was cancelled"));
    this.#stream?.close(NGHTTP2_CANCEL);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  onDrain(listener: () => void): void {
    this.#stream?.on("drain", listener);
  }
}

/** Such a call may be sent once more whatever it does: the upstream says it has not looked at it (RFC 9113 8.7). */
function wasNeverProcessed(rstCode: number, error: Error | undefined): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return (
    rstCode === NGHTTP2_REFUSED_STREAM ||
    code === "ERR_HTTP2_GOAWAY_SESSION" ||
    code === "ERR_HTTP2_INVALID_SESSION"
  );
}
