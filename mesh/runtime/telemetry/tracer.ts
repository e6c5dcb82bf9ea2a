/**
 * DESIGN
 *
 * A process's part of a trace begins with work that comes in (a call, an event, a step that has fallen due) and
 * is a LocalTrace in the request's context. Whoever works within adds spans to it.
 *
 * Whether a trace is recorded is decided where it begins (a share of all, WEFT_TRACE_RATIO) and travels in the
 * sampled flag of traceparent. Errors and slow work are kept from the others, too: their spans are held until the
 * incoming work ends, and then sent or dropped. So a process keeps what went wrong in it, not the way there
 * through processes in which nothing did.
 */
import { type RequestContext, randomHex, requestIdFrom, runInContext } from "./context.ts";
import { type Attributes, preciseNow, type Span, type SpanType } from "./span.ts";
import { parseTraceparent } from "./traceparent.ts";

/** Takes spans that are to be sent. Must not throw. */
export type SpanSink = (span: Span) => void;

/** Most spans of one LocalTrace that are held while it is not known whether they will be sent. */
const heldLimit = 128;

/** What arrives with work. */
export interface IncomingIds {
  readonly requestId?: string | null;
  readonly traceparent?: string | null;
}

/** Begins a process's part of traces. */
export class Tracer {
  /** Undefined where nobody collects spans. */
  readonly sink: SpanSink | undefined;
  readonly #ratio: number;

  /** @param ratio share of the traces beginning here that are recorded, 0 to 1 */
  constructor(ratio: number, sink: SpanSink | undefined) {
    this.#ratio = ratio;
    this.sink = sink;
  }

  /**
   * Context for work that arrives with these ids. What is missing or malformed is replaced by new ones (W3C Trace
   * Context, section 4.3): callers cannot inject text into logs.
   * @param trust whether the sender's sampled flag counts; a stranger's must not decide what we pay for
   */
  open(
    ids: IncomingIds,
    rest: Pick<RequestContext, "deadline" | "authorization"> = {},
    trust: "sampled flag" | "ids only" = "sampled flag",
  ): RequestContext {
    const parent = parseTraceparent(ids.traceparent);
    const traceId = parent?.traceId ?? randomHex(16);
    const sampled = parent && trust === "sampled flag" ? parent.sampled : Math.random() < this.#ratio;
    const requestId = requestIdFrom(ids.requestId);
    return {
      requestId,
      traceId,
      spanId: randomHex(8),
      traceFlags: sampled ? "01" : "00",
      deadline: rest.deadline,
      authorization: rest.authorization,
      trace: this.sink && new LocalTrace(this.sink, traceId, parent?.spanId ?? "", sampled, requestId),
    };
  }

  /**
   * Runs `work` as this process's part of a trace, under a span of `type`.
   * @param options.slowMs work that takes longer is kept, in milliseconds
   * @param options.more attributes of this span alone
   * @throws what `work` throws
   */
  async run<T>(
    type: SpanType,
    ids: IncomingIds,
    options: { slowMs: number; deadline?: number; more?: Attributes },
    work: (context: RequestContext) => Promise<T>,
  ): Promise<T> {
    const context = this.open(ids, { deadline: options.deadline });
    return runInContext(context, async () => {
      try {
        const result = await work(context);
        context.trace?.end(context, type, { slowMs: options.slowMs, more: options.more });
        return result;
      } catch (error) {
        context.trace?.end(context, type, { ...options, error: errorTypeOf(error) });
        throw error;
      }
    });
  }
}

/** For work without telemetry: ids are passed on, and whoever gets them may record. */
export const noTracer = new Tracer(1, undefined);

/** Spans of one piece of incoming work. */
export class LocalTrace {
  readonly #sink: SpanSink;
  readonly #traceId: string;
  readonly #parentSpanId: string;
  readonly #sampled: boolean;
  readonly #requestId: string;
  readonly #startedAt = preciseNow();
  #keep: boolean;
  #ended = false;
  #held: Span[] | undefined;

  constructor(sink: SpanSink, traceId: string, parentSpanId: string, sampled: boolean, requestId: string) {
    this.#sink = sink;
    this.#traceId = traceId;
    this.#parentSpanId = parentSpanId;
    this.#sampled = sampled;
    this.#keep = sampled;
    this.#requestId = requestId;
  }

  /**
   * Adds a span of work within; only the process's own fault or an upstream's failure makes the whole kept.
   * @param options.keep whether the work was slow or failed so that somebody will want to see it
   */
  add(
    type: SpanType,
    options: {
      spanId: string;
      parentSpanId: string;
      startedAt: number;
      more?: Attributes;
      error?: string;
      keep?: boolean;
    },
  ): void {
    const span: Span = {
      type,
      traceId: this.#traceId,
      spanId: options.spanId,
      parentSpanId: options.parentSpanId,
      parentIsRemote: false,
      startedAt: options.startedAt,
      endedAt: preciseNow(),
      more: options.more,
      error: options.error,
      requestId: this.#requestId,
      sampled: this.#sampled,
    };
    if (options.keep) this.#keep = true;
    if (this.#sampled || (this.#ended && this.#keep)) this.#sink(span);
    else if (!this.#ended) {
      this.#held ??= [];
      if (this.#held.length < heldLimit) this.#held.push(span);
    }
  }

  /**
   * The incoming work is done. Its spans are sent if the trace was chosen, something in it failed, or it was slow.
   * @param context the work's own, as `open` made it
   * @param options.isFault whether an error is one of ours and not the caller's; true when left out
   */
  end(
    { spanId }: { readonly spanId: string },
    type: SpanType,
    options: { slowMs: number; more?: Attributes; error?: string; isFault?: boolean },
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    const held = this.#held;
    this.#held = undefined;
    const endedAt = preciseNow();
    const failed = options.error !== undefined && options.isFault !== false;
    if (failed || endedAt - this.#startedAt > options.slowMs) this.#keep = true;
    if (!this.#keep) return;
    for (const span of held ?? []) this.#sink(span);
    this.#sink({
      type,
      traceId: this.#traceId,
      spanId,
      parentSpanId: this.#parentSpanId,
      parentIsRemote: this.#parentSpanId !== "",
      startedAt: this.#startedAt,
      endedAt,
      more: options.more,
      error: options.error,
      requestId: this.#requestId,
      sampled: this.#sampled,
    });
  }
}

/** Value of error.type for what was thrown: a driver's or a system's code, or the class. Texts hold values. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[\w.-]{1,64}$/.test(code) ? code : error.name;
}
