import { Code, type ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "../telemetry/log.ts";
import { toStatus } from "./errors.ts";
import { overStream } from "./over-stream.ts";

/**
 * Turns what handlers throw into statuses. Callers never see the text of an unexpected error; the log
 * has it.
 */
export function renderErrors(log: Logger): Interceptor {
  return (next) => async (request) => {
    const render = (error: unknown): ConnectError => {
      const domain = request.service.typeName.slice(0, request.service.typeName.lastIndexOf("."));
      const status = toStatus(error, domain);
      if (status.code === Code.Internal || status.code === Code.Unknown || status.code === Code.DataLoss) {
        log.error(
          { err: status.cause ?? status, rpc: `${request.service.typeName}/${request.method.name}` },
          "call failed",
        );
      }
      return status;
    };
    try {
      const reply = await next(request);
      return reply.stream ? { ...reply, message: rethrowing(reply.message, render) } : reply;
    } catch (error) {
      throw render(error);
    }
  };
}

async function* rethrowing<T>(
  source: AsyncIterable<T>,
  render: (error: unknown) => ConnectError,
): AsyncGenerator<T> {
  try {
    yield* overStream(source, {});
  } catch (error) {
    throw render(error);
  }
}
