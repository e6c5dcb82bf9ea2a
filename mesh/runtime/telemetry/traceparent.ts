/** Version, trace, span and flags in hex; later versions may add more. Without groups: cutting is cheaper. */
const pattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const length = 55;
const noTrace = "0".repeat(32);
const noSpan = "0".repeat(16);

/** The header traceparent. */
export interface Traceparent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Undefined for what W3C Trace Context (section 3.2) does not allow. Later versions are read as far as we know them. */
export function parseTraceparent(text: string | null | undefined): Traceparent | undefined {
  if (!text || !pattern.test(text)) return undefined;
  if (text.startsWith("ff") || (text.startsWith("00") && text.length > length)) return undefined;
  const traceId = text.slice(3, 35);
  const spanId = text.slice(36, 52);
  if (traceId === noTrace || spanId === noSpan) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(text.slice(53, length), 16) & 1) === 1 };
}
