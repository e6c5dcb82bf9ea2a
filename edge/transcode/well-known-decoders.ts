import type { DescMessage } from "@bufbuild/protobuf";
import { toBytes } from "./byte-text.ts";
import { formatFieldMask } from "./field-mask-text.ts";
import type { JsonWriter } from "./json-writer.ts";
import type { MessageDecoders } from "./message-decoder.ts";
import { wireTypeOf } from "./scalar.ts";
import { defaultJson, floatJson, scalarWriter } from "./scalar-json.ts";
import { WRAPPERS } from "./text-message.ts";
import { formatDuration, type SecondsAndNanos, writeTimestamp } from "./time-text.ts";
import { WireReader } from "./wire-reader.ts";

type Decode = (reader: WireReader, out: JsonWriter, depth: number) => void;

/** The decoder of a type whose JSON form is not an object of its fields; undefined for every other type. */
export function wellKnownDecoder(desc: DescMessage, decoders: MessageDecoders): Decode | undefined {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return (reader, out) => writeTimestamp(out, readTime(reader));
    case "google.protobuf.Duration":
      return (reader, out) => out.text(`"${formatDuration(readTime(reader))}"`);
    case "google.protobuf.FieldMask":
      return (reader, out) => {
        const paths: string[] = [];
        each(reader, { 10: () => paths.push(reader.string()) });
        out.text(toBytes(JSON.stringify(formatFieldMask(paths))));
      };
    case "google.protobuf.Struct":
      return writeStruct;
    case "google.protobuf.Value":
      return writeValue;
    case "google.protobuf.ListValue":
      return writeList;
    case "google.protobuf.Any":
      return (reader, out, depth) => writeAny(reader, out, depth, decoders);
    default: {
      const scalar = WRAPPERS.get(desc.typeName);
      if (scalar === undefined) return undefined;
      const write = scalarWriter(scalar);
      const tag = (1 << 3) | wireTypeOf(scalar);
      return (reader, out) => {
        const start = out.pos;
        out.text(defaultJson(scalar));
        each(reader, {
          [tag]: () => {
            out.pos = start;
            write(reader, out);
          },
        });
      };
    }
  }
}

/** Reads all fields, those with a known tag by their function. */
function each(reader: WireReader, byTag: Record<number, () => unknown>): void {
  while (reader.pos < reader.end) {
    const tag = reader.varint32();
    const read = byTag[tag];
    if (read) read();
    else reader.skip(tag & 7);
  }
}

/** Runs `read` inside of the next length-delimited value. */
function within<T>(reader: WireReader, read: () => T): T {
  const length = reader.varint32();
  const start = reader.take(length);
  const { end, pos } = reader;
  reader.pos = start;
  reader.end = pos;
  const result = read();
  reader.pos = pos;
  reader.end = end;
  return result;
}

function readTime(reader: WireReader): SecondsAndNanos {
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < reader.end) {
    const tag = reader.varint32();
    if (tag === 8) {
      reader.varint64();
      // Beyond 2^53 it is inexact, and out of range all the same.
      seconds = (reader.high | 0) * 0x100000000 + reader.low;
    } else if (tag === 16) nanos = reader.varint32() | 0;
    else reader.skip(tag & 7);
  }
  return { seconds, nanos };
}

const MAX_DEPTH = 500;

function writeStruct(reader: WireReader, out: JsonWriter, depth: number): void {
  const start = out.pos;
  // Put together before it is written: of a key that comes twice the last value counts.
  const fields = new Map<string, string>();
  each(reader, {
    10: () =>
      within(reader, () => {
        let key = '""';
        let value: string | undefined;
        each(reader, {
          10: () => (key = reader.jsonString()),
          18: () => {
            within(reader, () => writeValue(reader, out, depth + 1));
            value = out.take(start);
          },
        });
        if (value === undefined) throw new Error("a Struct field has no value");
        fields.set(key, value);
      }),
  });
  out.text(`{${Array.from(fields, ([key, value]) => `${key}:${value}`).join(",")}}`);
}

function writeList(reader: WireReader, out: JsonWriter, depth: number): void {
  let separator = "[";
  each(reader, {
    10: () => {
      out.text(separator);
      separator = ",";
      within(reader, () => writeValue(reader, out, depth + 1));
    },
  });
  out.text(separator === "[" ? "[]" : "]");
}

function writeValue(reader: WireReader, out: JsonWriter, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error("values are nested too deep");
  const start = out.pos;
  /** Of several kinds the last one counts. */
  const kind = (write: () => void) => () => {
    out.pos = start;
    write();
  };
  each(reader, {
    8: kind(() => {
      reader.varint64();
      out.text("null");
    }),
    17: kind(() => {
      const value = reader.double();
      if (!Number.isFinite(value)) throw new Error("a Value holds a number JSON does not have");
      out.text(floatJson(value));
    }),
    26: kind(() => out.text(reader.jsonString())),
    32: kind(() => out.text(reader.varint32() ? "true" : "false")),
    42: kind(() => within(reader, () => writeStruct(reader, out, depth + 1))),
    50: kind(() => within(reader, () => writeList(reader, out, depth + 1))),
  });
  if (out.pos === start) throw new Error("a Value has no kind");
}

function writeAny(reader: WireReader, out: JsonWriter, depth: number, decoders: MessageDecoders): void {
  let typeUrl = "";
  let value: Buffer = Buffer.alloc(0);
  each(reader, { 10: () => (typeUrl = reader.string()), 18: () => (value = reader.view()) });
  if (typeUrl === "" && value.length === 0) return out.text("{}");
  if (!writeDetail(typeUrl, value, out, decoders, depth + 1))
    throw new Error(`an Any holds the unknown type ${typeUrl}`);
}

/**
 * Writes an Any by its parts.
 * @returns false when the type is not known
 */
export function writeDetail(
  typeUrl: string,
  value: Uint8Array,
  out: JsonWriter,
  decoders: MessageDecoders,
  depth = 0,
): boolean {
  const desc = decoders.registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  if (!desc) return false;
  const decoder = decoders.of(desc);
  const reader = new WireReader(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  out.text(toBytes(`{"@type":${JSON.stringify(typeUrl)}`));
  if (decoder.wellKnown) {
    out.text(',"value":');
    decoder.write(reader, out, depth);
  } else decoder.writeMembers(reader, out, depth);
  out.text("}");
  return true;
}
