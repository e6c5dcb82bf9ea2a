import { Code, type ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "../telemetry/log.ts";
import { boundStatus } from "./bound-status.ts";
import { toStatus } from "./errors.ts";
import { overStream } from "./over-stream.ts";

type AnyRequest = Parameters<Parameters<Interceptor>[0]>[0];

/**
 * Turns what handlers throw into statuses. Callers never see the text of an unexpected error; the log
 * has it.
 */
export function renderErrors(log: Logger): Interceptor {
  const render = (error: unknown, { service, method }: AnyRequest): ConnectError => {
    const domain = service.typeName.slice(0, service.typeName.lastIndexOf("."));
    const status = toStatus(error, domain);
    if (status.code === Code.Internal || status.code === Code.Unknown || status.code === Code.DataLoss) {
      log.error({ err: status.cause ?? status, rpc: `${service.typeName}/${method.name}` }, "call failed");
    }
    return boundStatus(status);
  };
  return (next) => async (request) => {
    try {
      const reply = await next(request);
      if (!reply.stream) return reply;
      return { ...reply, message: rethrowing(reply.message, (error) => render(error, request)) };
    } catch (error) {
      throw render(error, request);
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
