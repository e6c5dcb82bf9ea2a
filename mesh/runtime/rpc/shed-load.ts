import { Code, type Interceptor } from "@connectrpc/connect";
import { ServiceError } from "./errors.ts";
import { overStream } from "./over-stream.ts";
import type { ServerLoad } from "./server-load.ts";

/** When to come again, in milliseconds. */
const retryAfterMs = 1_000;

/**
 * Gives up calls that the process has no capacity for, the least important first. RESOURCE_EXHAUSTED and not
 * UNAVAILABLE: the process is there and serves others, so callers must not open their breakers.
 */
export function shedLoad(load: ServerLoad | undefined): Interceptor {
  if (!load) return (next) => next;
  return (next) => async (request) => {
    const { method } = request;
    if (!load.enter(method)) {
      throw new ServiceError(Code.ResourceExhausted, "OVERLOADED", "too much load", { retryAfterMs });
    }
    let streams = false;
    try {
      const reply = await next(request);
      if (!reply.stream) return reply;
      streams = true;
      return { ...reply, message: overStream(reply.message, { onEnd: () => load.leave(method) }) };
    } finally {
      if (!streams) load.leave(method);
    }
  };
}
