import type { IncomingHttpHeaders } from "node:http2";
import { MessageFrames } from "./message-frames.ts";
import { Code, StatusError } from "./status.ts";
import type { CallSink } from "./upstream-call.ts";

/**
 * Takes a call that has one reply.
 * @param limit largest reply in bytes
 * @param onReply gets the message with initial and trailing metadata, when the call succeeded
 * @param onFailure gets any other end
 */
export function singleReply(
  limit: number,
  onReply: (message: Buffer, metadata: IncomingHttpHeaders, trailers: IncomingHttpHeaders) => void,
  onFailure: (error: StatusError, metadata: IncomingHttpHeaders, trailers: IncomingHttpHeaders) => void,
): CallSink {
  let metadata: IncomingHttpHeaders = {};
  let message: Buffer | undefined;
  let broken: StatusError | undefined;
  const frames = new MessageFrames(limit, () => String(metadata["grpc-encoding"]));
  return {
    onHeaders(headers) {
      metadata = headers;
    },
    onData(chunk) {
      if (broken) return;
      try {
        frames.push(chunk, (one) => {
          if (message) throw new StatusError(Code.internal, "the upstream sent two replies to a unary call");
          message = one;
        });
      } catch (error) {
        broken = StatusError.from(error);
      }
    },
    onEnd({ error, trailers }) {
      const failure = error ?? broken;
      if (failure) return onFailure(failure, metadata, trailers);
      if (!message || !frames.complete) {
        return onFailure(new StatusError(Code.internal, "the upstream sent no reply"), metadata, trailers);
      }
      onReply(message, metadata, trailers);
    },
  };
}
