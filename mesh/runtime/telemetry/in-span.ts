import { currentContext, randomHex, runInContext } from "./context.ts";
import { type Attributes, preciseNow, type SpanType } from "./span.ts";
import { errorTypeOf } from "./tracer.ts";

/**
 * Runs `work` under a span of its own, which is the parent of all that goes on within; outside of a trace it is
 * just run.
 * @param more attributes of this span alone
 * @throws what `work` throws
 */
export async function inSpan<T>(type: SpanType, work: () => Promise<T>, more?: Attributes): Promise<T> {
  const outer = currentContext();
  const trace = outer?.trace;
  if (!trace) return work();
  const spanId = randomHex(8);
  const times = { spanId, parentSpanId: outer.spanId, startedAt: preciseNow(), more };
  return runInContext({ ...outer, spanId }, async () => {
    try {
      const result = await work();
      trace.add(type, times);
      return result;
    } catch (error) {
      trace.add(type, { ...times, error: errorTypeOf(error), keep: true });
      throw error;
    }
  });
}
