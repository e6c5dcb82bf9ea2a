/**
 * A span: one piece of work of a trace, in the terms of OpenTelemetry's data model. Plain objects and not the
 * SDK's class, which costs several microseconds each: most are dropped when their call ends well and quickly.
 */

/** Values of Span.SpanKind in opentelemetry/proto/trace/v1/trace.proto. */
export const SpanKind = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind];

/** By names of the semantic conventions; undefined values are left out. Never a value that a person typed. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a span is called and what is known of it before it starts. Made once and shared by all spans alike. */
export interface SpanType {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

/** A span that has ended. */
export interface Span {
  readonly type: SpanType;
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits; empty where nobody has this span as parent and any new id will do. */
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentSpanId: string;
  /** Whether the parent is in another process. */
  readonly parentIsRemote: boolean;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** What became known only during the work. */
  readonly more: Attributes | undefined;
  /** Value of error.type: a code or a class, never a text. Undefined: the work did not fail. */
  readonly error: string | undefined;
  readonly requestId: string;
  /** Whether the trace was chosen at its root; the others are kept for their errors or their slowness. */
  readonly sampled: boolean;
}

let offset = performance.timeOrigin;

/** Milliseconds since 1970 with a microsecond's resolution, so that spans of processes side by side are in order. */
export function preciseNow(): number {
  return offset + performance.now();
}

/** Follows the system's clock where that was set: the one above only knows how it stood when the process began. */
export function followSystemClock(): void {
  const drift = Date.now() - preciseNow();
  if (Math.abs(drift) > 20) offset += drift;
}
