import { type RequestContext, runInContext } from "../telemetry/context.ts";

/**
 * Passes a stream of messages on, running each step of its source within `context`: a generator's
 * body continues in the context of whoever asks for the next message, which is not the request's.
 *
 * @param hooks.each called with every message before it leaves; may throw
 * @param hooks.onEnd called once, with the error if there was one
 */
export async function* overStream<T>(
  source: AsyncIterable<T>,
  hooks: { context?: RequestContext; each?: (message: T) => void; onEnd?: (error?: unknown) => void },
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const step = () => (hooks.context ? runInContext(hooks.context, () => iterator.next()) : iterator.next());
  let failure: unknown;
  try {
    for (let result = await step(); !result.done; result = await step()) {
      hooks.each?.(result.value);
      yield result.value;
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await iterator.return?.();
    hooks.onEnd?.(failure);
  }
}
