import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { deadlineOf } from "./timeout.ts";

/**
 * Innermost interceptor of Connect's transport for streams: gives errors that the transport itself makes the
 * codes that gRPC wants.
 */
export function correctStreamErrors(): Interceptor {
  return (next) => async (request) => {
    const deadline = deadlineOf(request.header);
    const correct = (reason: unknown): unknown => {
      if (!(reason instanceof ConnectError) || (reason as { isWireError?: boolean }).isWireError)
        return reason;
      return new ConnectError(
        reason.rawMessage,
        codeOf(reason, request.signal, deadline),
        reason.metadata,
        undefined,
        reason,
      );
    };
    try {
      const reply = await next(request);
      return reply.stream ? { ...reply, message: correcting(reply.message, correct) } : reply;
    } catch (error) {
      throw correct(error);
    }
  };
}

function codeOf({ code }: ConnectError, { aborted }: AbortSignal, deadline: number): Code {
  // The peer's clock struck first, and it reset the stream.
  if (code === Code.Canceled && !aborted && Date.now() >= deadline) return Code.DeadlineExceeded;
  // The reply is malformed; the request, which is what this code speaks of, was not.
  if (code === Code.InvalidArgument) return Code.Internal;
  return code;
}

async function* correcting<T>(
  source: AsyncIterable<T>,
  correct: (reason: unknown) => unknown,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw correct(error);
  }
}
