/**
 * Spans as OTLP 1.x sends them: ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1 in Protobuf's
 * binary format, read field by field. Unknown fields are skipped, as Protobuf wants.
 */
import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";

export type AttributeValue =
  | string
  | number
  | boolean
  | AttributeValue[]
  | { [name: string]: AttributeValue };
export type Attributes = Record<string, AttributeValue>;

/** A span as it came. Times in milliseconds since 1970, with fractions. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentId: string;
  readonly name: string;
  /** service.name of the process that sent it. */
  readonly service: string;
  /** As in opentelemetry/proto/trace/v1: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  readonly events: readonly { name: string; time: number; attributes: Attributes }[];
  /** "TRACE_ID-SPAN_ID" */
  readonly links: readonly string[];
  /** 1: went well; 2: failed; 0: not said. */
  readonly status: number;
  readonly statusMessage: string;
}

/** Longest text of an attribute or a name that is kept. */
const longestText = 2_000;
/** Values inside values. */
const deepest = 6;

/** @throws Error when the bytes are no such request */
export function decodeTraces(bytes: Uint8Array): ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  readFields(new BinaryReader(bytes), bytes.length, (field, reader) => {
    if (field !== 1) return false;
    spans.push(...readResourceSpans(reader));
    return true;
  });
  return spans;
}

/** Reads a message: `take` reads a field and says so, or leaves it to be skipped. */
function readFields(
  reader: BinaryReader,
  length: number,
  take: (field: number, reader: BinaryReader) => boolean,
): void {
  const end = reader.pos + length;
  while (reader.pos < end) {
    const [field, wireType] = reader.tag() as [number, WireType];
    if (!take(field, reader)) reader.skip(wireType, field);
  }
  if (reader.pos !== end) throw new Error("a message is longer than it says");
}

function readMessage(reader: BinaryReader, take: (field: number, reader: BinaryReader) => boolean): void {
  readFields(reader, reader.uint32(), take);
}

function readResourceSpans(reader: BinaryReader): ReceivedSpan[] {
  let resource: Attributes = {};
  const spans: Omit<ReceivedSpan, "service">[] = [];
  readMessage(reader, (field, within) => {
    if (field === 1) {
      resource = {};
      readMessage(within, (inner, each) => inner === 1 && readAttribute(each, resource));
    } else if (field === 2) {
      readMessage(within, (inner, each) => inner === 2 && spans.push(readSpan(each)) > 0);
    } else return false;
    return true;
  });
  const service = String(resource["service.name"] ?? "unknown");
  return spans.map((span) => ({ ...span, service }));
}

function readSpan(reader: BinaryReader): Omit<ReceivedSpan, "service"> {
  const span = {
    traceId: "",
    spanId: "",
    parentId: "",
    name: "",
    kind: 0,
    startedAt: 0,
    endedAt: 0,
    attributes: {} as Attributes,
    events: [] as { name: string; time: number; attributes: Attributes }[],
    links: [] as string[],
    status: 0,
    statusMessage: "",
  };
  readMessage(reader, (field, within) => {
    switch (field) {
      case 1:
        span.traceId = hex(within.bytes());
        return true;
      case 2:
        span.spanId = hex(within.bytes());
        return true;
      case 4:
        span.parentId = hex(within.bytes());
        return true;
      case 5:
        span.name = text(within);
        return true;
      case 6:
        span.kind = within.int32();
        return true;
      case 7:
        span.startedAt = milliseconds(within);
        return true;
      case 8:
        span.endedAt = milliseconds(within);
        return true;
      case 9:
        return readAttribute(within, span.attributes);
      case 11:
        span.events.push(readEvent(within));
        return true;
      case 13:
        span.links.push(readLink(within));
        return true;
      case 15:
        readMessage(within, (inner, each) => {
          if (inner === 2) span.statusMessage = text(each);
          else if (inner === 3) span.status = each.int32();
          else return false;
          return true;
        });
        return true;
      default:
        return false;
    }
  });
  if (!/^[0-9a-f]{32}$/.test(span.traceId) || !/^[0-9a-f]{16}$/.test(span.spanId))
    throw new Error("a span has no valid ids");
  return span;
}

function readEvent(reader: BinaryReader) {
  const event = { name: "", time: 0, attributes: {} as Attributes };
  readMessage(reader, (field, within) => {
    if (field === 1) event.time = milliseconds(within);
    else if (field === 2) event.name = text(within);
    else if (field === 3) return readAttribute(within, event.attributes);
    else return false;
    return true;
  });
  return event;
}

function readLink(reader: BinaryReader): string {
  let [trace, span] = ["", ""];
  readMessage(reader, (field, within) => {
    if (field === 1) trace = hex(within.bytes());
    else if (field === 2) span = hex(within.bytes());
    else return false;
    return true;
  });
  return `${trace}-${span}`;
}

/** A KeyValue, put where it belongs. */
function readAttribute(reader: BinaryReader, into: Attributes, depth = 0): true {
  let name = "";
  let value: AttributeValue = "";
  readMessage(reader, (field, within) => {
    if (field === 1) name = text(within);
    else if (field === 2) value = readValue(within, depth);
    else return false;
    return true;
  });
  if (name !== "__proto__") into[name] = value;
  return true;
}

/** An AnyValue. */
function readValue(reader: BinaryReader, depth: number): AttributeValue {
  let value: AttributeValue = "";
  if (depth > deepest) throw new Error("an attribute is nested too deeply");
  readMessage(reader, (field, within) => {
    if (field === 1) value = text(within);
    else if (field === 2) value = within.bool();
    else if (field === 3) value = Number(within.int64());
    else if (field === 4) value = within.double();
    else if (field === 5) {
      const list: AttributeValue[] = [];
      readMessage(within, (inner, each) => inner === 1 && list.push(readValue(each, depth + 1)) > 0);
      value = list;
    } else if (field === 6) {
      const map: Attributes = {};
      readMessage(within, (inner, each) => inner === 1 && readAttribute(each, map, depth + 1));
      value = map;
    } else if (field === 7) value = `${within.bytes().length} bytes`;
    else return false;
    return true;
  });
  return value;
}

/** Nanoseconds since 1970 in milliseconds; their fraction is kept to the microsecond. */
function milliseconds(reader: BinaryReader): number {
  const nanoseconds = BigInt(reader.fixed64());
  return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1_000_000;
}

const known = new Map<string, string>();
const mostKnown = 20_000;

/** A text, cut. Names and values repeat in every span: one copy of each is kept. */
function text(reader: BinaryReader): string {
  const cut = reader.string().slice(0, longestText);
  if (cut.length > 100) return cut;
  const same = known.get(cut);
  if (same !== undefined) return same;
  if (known.size >= mostKnown) known.clear();
  known.set(cut, cut);
  return cut;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
