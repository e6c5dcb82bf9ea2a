import type { IncomingHttpHeaders } from "node:http2";
import type { CallEnd } from "./grpc-status.ts";
import { MessageFrames, wholeMessage } from "./message-frames.ts";
import { Code, StatusError } from "./status.ts";
import type { CallSink } from "./upstream-call.ts";

/** Takes a call that has one reply. */
export abstract class SingleReply implements CallSink {
  readonly #limit: number;
  #metadata: IncomingHttpHeaders = {};
  #message: Buffer | undefined;
  #broken: StatusError | undefined;
  /** Only for a reply that does not come as one chunk, which nearly all do. */
  #frames: MessageFrames | undefined;

  /** @param limit largest reply in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Gets the message with initial and trailing metadata, when the call succeeded. */
  protected abstract succeeded(
    message: Buffer,
    metadata: IncomingHttpHeaders,
    trailers: IncomingHttpHeaders,
  ): void;

  /** Gets any other end. */
  protected abstract failed(
    error: StatusError,
    metadata: IncomingHttpHeaders,
    trailers: IncomingHttpHeaders,
  ): void;

  onHeaders(headers: IncomingHttpHeaders): void {
    this.#metadata = headers;
  }

  onData(chunk: Buffer): void {
    if (this.#broken) return;
    if (!this.#frames && !this.#message) {
      this.#message = wholeMessage(chunk, this.#limit);
      if (this.#message) return;
    }
    this.#frames ??= new MessageFrames(this.#limit, () => String(this.#metadata["grpc-encoding"]));
    try {
      this.#frames.push(chunk, (message) => this.#take(message));
    } catch (error) {
      this.#broken = StatusError.from(error);
    }
  }

  #take(message: Buffer): void {
    if (this.#message) throw new StatusError(Code.internal, "the upstream sent two replies to a unary call");
    this.#message = message;
  }

  onEnd({ error, trailers }: CallEnd): void {
    const failure = error ?? this.#broken;
    if (failure) return this.failed(failure, this.#metadata, trailers);
    if (!this.#message || this.#frames?.complete === false)
      return this.failed(
        new StatusError(Code.internal, "the upstream sent no reply"),
        this.#metadata,
        trailers,
      );
    this.succeeded(this.#message, this.#metadata, trailers);
  }
}
