/** The newest traces, put together of spans that come from several processes in any order. */
import type { ReceivedSpan } from "./otlp.ts";
import { Ring } from "./ring.ts";

/** A trace so far. */
export interface StoredTrace {
  readonly traceId: string;
  readonly position: number;
  readonly spans: ReceivedSpan[];
  /** Services in order of appearance. */
  readonly services: Set<string>;
  /** The span without a parent; the earliest while none has come. */
  top: ReceivedSpan;
  startedAt: number;
  endedAt: number;
  errors: number;
  /** Spans that were not kept. */
  dropped: number;
}

/** Which traces. Empty fields and 0: any. */
export interface TraceFilter {
  readonly service: string;
  readonly method: string;
  readonly errorsOnly: boolean;
  readonly minDurationMs: number;
  readonly maxDurationMs: number;
  readonly id: string;
  readonly before: number;
  readonly limit: number;
}

export class TraceStore {
  readonly #ring: Ring<StoredTrace>;
  readonly #byId = new Map<string, StoredTrace>();
  readonly #most: { traces: number; spansPerTrace: number; spans: number };
  #spans = 0;

  /** @param most the oldest trace goes when there are more traces, or more spans in all of them */
  constructor(most: { traces: number; spansPerTrace: number; spans: number }) {
    this.#most = most;
    this.#ring = new Ring<StoredTrace>(most.traces, ({ traceId, spans }) => {
      this.#byId.delete(traceId);
      this.#spans -= spans.length;
    });
  }

  get range() {
    return this.#ring.range;
  }

  add(spans: readonly ReceivedSpan[]): void {
    for (const span of spans) {
      const known = this.#byId.get(span.traceId);
      if (known) this.#join(known, span);
      else {
        this.#byId.set(
          span.traceId,
          this.#ring.push((position) => begin(span, position)),
        );
        this.#spans++;
      }
      while (this.#spans > this.#most.spans && this.#ring.first < this.#ring.last) this.#ring.dropFirst();
    }
  }

  get(traceId: string): StoredTrace | undefined {
    return this.#byId.get(traceId);
  }

  /** Those that match, newest first. */
  list(filter: TraceFilter): StoredTrace[] {
    const method = filter.method.toLowerCase();
    const found: StoredTrace[] = [];
    for (const trace of this.#ring.before(filter.before)) {
      if (!matches(trace, filter, method)) continue;
      found.push(trace);
      if (found.length === filter.limit) break;
    }
    return found;
  }

  #join(trace: StoredTrace, span: ReceivedSpan): void {
    if (trace.spans.length >= this.#most.spansPerTrace) {
      trace.dropped++;
      return;
    }
    // An exporter that did not hear the answer sends the same spans again.
    if (trace.spans.some(({ spanId, service }) => spanId === span.spanId && service === span.service)) return;
    trace.spans.push(span);
    this.#spans++;
    trace.services.add(span.service);
    trace.startedAt = Math.min(trace.startedAt, span.startedAt);
    trace.endedAt = Math.max(trace.endedAt, span.endedAt);
    if (span.status === 2) trace.errors++;
    if (isAbove(span, trace.top)) trace.top = span;
  }
}

function begin(span: ReceivedSpan, position: number): StoredTrace {
  return {
    traceId: span.traceId,
    position,
    spans: [span],
    services: new Set([span.service]),
    top: span,
    startedAt: span.startedAt,
    endedAt: span.endedAt,
    errors: span.status === 2 ? 1 : 0,
    dropped: 0,
  };
}

/** A root comes before all; else what began first. */
function isAbove(span: ReceivedSpan, top: ReceivedSpan): boolean {
  if ((span.parentId === "") !== (top.parentId === "")) return span.parentId === "";
  return span.startedAt < top.startedAt;
}

function matches(trace: StoredTrace, filter: TraceFilter, method: string): boolean {
  const { service, errorsOnly, minDurationMs, maxDurationMs, id } = filter;
  const duration = trace.endedAt - trace.startedAt;
  return (
    (!errorsOnly || trace.errors > 0) &&
    duration >= minDurationMs &&
    (maxDurationMs === 0 || duration <= maxDurationMs) &&
    (service === "" || trace.services.has(service)) &&
    (method === "" || trace.spans.some(({ name }) => name.toLowerCase().includes(method))) &&
    (id === "" || trace.traceId.startsWith(id) || trace.spans.some((span) => hasValue(span, id)))
  );
}

/** Whether an attribute has this value: a request id, the id of a thing. */
function hasValue({ attributes }: ReceivedSpan, value: string): boolean {
  for (const name in attributes) if (attributes[name] === value) return true;
  return false;
}

/** A span where the waterfall shows it. */
export interface PlacedSpan {
  readonly span: ReceivedSpan;
  readonly depth: number;
  readonly orphan: boolean;
}

/** Each span after its parent, siblings by their start. */
export function waterfall(spans: readonly ReceivedSpan[]): PlacedSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentId }) => (ids.has(parentId) ? parentId : ""));
  const placed: PlacedSpan[] = [];
  // A stack and no recursion: a chain of 2,000 spans must not end the process. A circle of parents has no top.
  const waiting = sorted(children.get("") ?? []).map((span) => ({ span, depth: 0 }));
  while (waiting.length > 0) {
    const { span, depth } = waiting.pop()!;
    placed.push({ span, depth, orphan: depth === 0 && span.parentId !== "" });
    for (const child of sorted(children.get(span.spanId) ?? []))
      if (child !== span) waiting.push({ span: child, depth: depth + 1 });
  }
  return placed;
}

/** Latest first: the last one is taken first. */
function sorted(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans.toSorted((a, b) => b.startedAt - a.startedAt);
}
