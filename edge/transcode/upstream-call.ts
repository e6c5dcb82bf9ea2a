import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { CallEnd } from "./grpc-status.ts";

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
