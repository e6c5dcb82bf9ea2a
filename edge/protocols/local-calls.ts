import { frameMessage, MessageFrames } from "../transcode/message-frames.ts";
import { StatusError } from "../transcode/status.ts";
import type { Call, CallSink, StartCall } from "../transcode/upstream-call.ts";

/** Largest question to a service within this process, in bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** Answers calls within this process. */
export interface LocalService {
  /**
   * Answers one message of a call.
   * @param method name of the RPC
   * @returns replies as message bytes; `open` keeps the call open after the client has half-closed
   * @throws StatusError
   */
  answer(method: string, message: Buffer): { replies: Uint8Array[]; open?: boolean };
}

/** Calls to a service in this process, behind the same interface as an upstream. */
export function localCalls(service: LocalService): StartCall {
  return (path, _metadata, _timeoutMs, sink) =>
    new LocalCall(service, path.slice(path.lastIndexOf("/") + 1), sink);
}

class LocalCall implements Call {
  readonly #service: LocalService;
  readonly #method: string;
  readonly #sink: CallSink;
  readonly #frames = new MessageFrames(MAX_MESSAGE_BYTES);
  #begun = false;
  #over = false;
  #open = false;

  constructor(service: LocalService, method: string, sink: CallSink) {
    this.#service = service;
    this.#method = method;
    this.#sink = sink;
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    try {
      this.#frames.push(chunk, (message) => {
        const { replies, open } = this.#service.answer(this.#method, message);
        this.#open ||= open ?? false;
        for (const reply of replies) this.#reply(frameMessage(reply));
      });
    } catch (error) {
      this.#finish(StatusError.from(error));
    }
    return true;
  }

  #reply(frame: Buffer): void {
    if (!this.#begun) this.#sink.onHeaders({ "content-type": "application/grpc" });
    this.#begun = true;
    this.#sink.onData(frame);
  }

  end(chunk?: Buffer): void {
    // The caller must have its call in hand before the first answer comes.
    queueMicrotask(() => {
      if (chunk) this.write(chunk);
      if (!this.#open) this.#finish(undefined);
    });
  }

  #finish(error: StatusError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.onEnd({ error, trailers: {} });
  }

  cancel(): void {
    this.#over = true;
  }

  pause(): void {}
  resume(): void {}
  onDrain(): void {}
}
