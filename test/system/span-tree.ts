import type { ReceivedSpan } from "./collector.ts";

const kinds = ["", "internal", "server", "client", "producer", "consumer"];

/** "SERVICE KIND NAME". */
export function labelOf({ service, kind, name }: ReceivedSpan): string {
  return `${service} ${kinds[kind]} ${name}`;
}

export const isStatement = ({ attributes }: ReceivedSpan): boolean => "db.system.name" in attributes;

/** Spans whose parent is not among them, roots apart. */
export function orphansOf(spans: readonly ReceivedSpan[]): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId)).map(labelOf);
}

/** One line for each span, below its parent and in order of their beginnings. */
export function treeOf(spans: readonly ReceivedSpan[], parent = "", depth = 0): string[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .sort((a, b) => Number(a.start - b.start))
    .flatMap((span) => [`${"  ".repeat(depth)}${labelOf(span)}`, ...treeOf(spans, span.spanId, depth + 1)]);
}
