/**
 * Spans as OTLP 1.x has them: ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1, in Protobuf's
 * binary format. Written by hand, field by field: half the work of making messages first.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { randomHex } from "./context.ts";
import type { Attributes, Span, SpanType } from "./span.ts";

const { LengthDelimited, Varint, Bit64, Bit32 } = WireType;

/** Content-Type of what `encodeTraces` returns. */
export const otlpContentType = "application/x-protobuf";

/** SpanFlags: the bits beyond W3C's that say whether the parent is in another process. */
const hasIsRemote = 0x100;
const isRemote = 0x200;
const statusError = 2;

/** @param resource attributes of the process */
export function encodeTraces(resource: Attributes, spans: readonly Span[]): Uint8Array {
  const out = new BinaryWriter();
  out.tag(1, LengthDelimited).fork(); // resource_spans
  out.tag(1, LengthDelimited).fork(); // resource
  writeAttributes(out, 1, resource);
  out.join();
  out.tag(2, LengthDelimited).fork(); // scope_spans
  out.tag(1, LengthDelimited).fork().tag(1, LengthDelimited).string("weft").join(); // scope
  for (const span of spans) writeSpan(out, span);
  out.join();
  out.join();
  return out.finish();
}

function writeSpan(out: BinaryWriter, span: Span): void {
  const { type, more, error, parentSpanId } = span;
  out.tag(2, LengthDelimited).fork();
  out.tag(1, LengthDelimited).bytes(Buffer.from(span.traceId, "hex"));
  out.tag(2, LengthDelimited).bytes(Buffer.from(span.spanId || randomHex(8), "hex"));
  if (parentSpanId) out.tag(4, LengthDelimited).bytes(Buffer.from(parentSpanId, "hex"));
  out.tag(5, LengthDelimited).string(type.name);
  out.tag(6, Varint).int32(type.kind);
  out.tag(7, Bit64).fixed64(nanoseconds(span.startedAt));
  out.tag(8, Bit64).fixed64(nanoseconds(span.endedAt));
  out.raw(encodedAttributes(type));
  if (more) writeAttributes(out, 9, more);
  writeAttribute(out, 9, "weft.request.id", span.requestId);
  if (error !== undefined) {
    writeAttribute(out, 9, "error.type", error);
    out.tag(15, LengthDelimited).fork().tag(3, Varint).int32(statusError).join();
  }
  const remote = hasIsRemote | (span.parentIsRemote ? isRemote : 0);
  out.tag(16, Bit32).fixed32((span.sampled ? 1 : 0) | (parentSpanId ? remote : 0));
  out.join();
}

const encoded = new WeakMap<SpanType, Uint8Array>();

/** Attributes that all spans of a type share are written once. */
function encodedAttributes(type: SpanType): Uint8Array {
  const known = encoded.get(type);
  if (known) return known;
  const out = new BinaryWriter();
  writeAttributes(out, 9, type.attributes);
  const bytes = out.finish();
  encoded.set(type, bytes);
  return bytes;
}

function writeAttributes(out: BinaryWriter, field: number, attributes: Attributes): void {
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined) writeAttribute(out, field, name, value);
  }
}

/** A KeyValue with its AnyValue. */
function writeAttribute(
  out: BinaryWriter,
  field: number,
  name: string,
  value: string | number | boolean,
): void {
  out.tag(field, LengthDelimited).fork();
  out.tag(1, LengthDelimited).string(name);
  out.tag(2, LengthDelimited).fork();
  if (typeof value === "string") out.tag(1, LengthDelimited).string(value);
  else if (typeof value === "boolean") out.tag(2, Varint).bool(value);
  else if (Number.isSafeInteger(value)) out.tag(3, Varint).int64(value);
  else out.tag(4, Bit64).double(value);
  out.join();
  out.join();
}

/** A double does not hold nanoseconds since 1970; the whole milliseconds and their fraction do it apart. */
function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1_000_000));
}
