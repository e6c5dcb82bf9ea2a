import type { DescMessage } from "@bufbuild/protobuf";
import { toBytes } from "./byte-text.ts";
import { formatFieldMask } from "./field-mask-text.ts";
import type { MessageDecoders } from "./message-decoder.ts";
import { wireTypeOf } from "./scalar.ts";
import { defaultJson, floatJson, scalarReader } from "./scalar-json.ts";
import { WRAPPERS } from "./text-message.ts";
import { formatDuration, formatTimestamp, type SecondsAndNanos } from "./time-text.ts";
import { WireReader } from "./wire-reader.ts";

type Decode = (reader: WireReader, depth: number) => string;

/** The decoder of a type whose JSON form is not an object of its fields; undefined for every other type. */
export function wellKnownDecoder(desc: DescMessage, decoders: MessageDecoders): Decode | undefined {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return (reader) => `"${formatTimestamp(readTime(reader))}"`;
    case "google.protobuf.Duration":
      return (reader) => `"${formatDuration(readTime(reader))}"`;
    case "google.protobuf.FieldMask":
      return (reader) => {
        const paths: string[] = [];
        each(reader, { 10: () => paths.push(reader.string()) });
        return toBytes(JSON.stringify(formatFieldMask(paths)));
      };
    case "google.protobuf.Struct":
      return structJson;
    case "google.protobuf.Value":
      return valueJson;
    case "google.protobuf.ListValue":
      return listJson;
    case "google.protobuf.Any":
      return (reader, depth) => anyJson(reader, depth, decoders);
    default: {
      const scalar = WRAPPERS.get(desc.typeName);
      if (scalar === undefined) return undefined;
      const read = scalarReader(scalar);
      const tag = (1 << 3) | wireTypeOf(scalar);
      return (reader) => {
        let json = defaultJson(scalar);
        each(reader, { [tag]: () => (json = read(reader)) });
        return json;
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

function structJson(reader: WireReader, depth: number): string {
  const fields = new Map<string, string>();
  each(reader, {
    10: () =>
      within(reader, () => {
        let key = '""';
        let value: string | undefined;
        each(reader, {
          10: () => (key = reader.jsonString()),
          18: () => (value = within(reader, () => valueJson(reader, depth + 1))),
        });
        if (value === undefined) throw new Error("a Struct field has no value");
        fields.set(key, value);
      }),
  });
  return `{${Array.from(fields, ([key, value]) => `${key}:${value}`).join(",")}}`;
}

function listJson(reader: WireReader, depth: number): string {
  const values: string[] = [];
  each(reader, { 10: () => values.push(within(reader, () => valueJson(reader, depth + 1))) });
  return `[${values.join(",")}]`;
}

function valueJson(reader: WireReader, depth: number): string {
  if (depth > MAX_DEPTH) throw new Error("values are nested too deep");
  let json: string | undefined;
  each(reader, {
    8: () => {
      reader.varint64();
      json = "null";
    },
    17: () => {
      const value = reader.double();
      if (!Number.isFinite(value)) throw new Error("a Value holds a number JSON does not have");
      json = floatJson(value);
    },
    26: () => (json = reader.jsonString()),
    32: () => (json = reader.varint32() ? "true" : "false"),
    42: () => (json = within(reader, () => structJson(reader, depth + 1))),
    50: () => (json = within(reader, () => listJson(reader, depth + 1))),
  });
  if (json === undefined) throw new Error("a Value has no kind");
  return json;
}

function anyJson(reader: WireReader, depth: number, decoders: MessageDecoders): string {
  let typeUrl = "";
  let value: Buffer = Buffer.alloc(0);
  each(reader, { 10: () => (typeUrl = reader.string()), 18: () => (value = reader.view()) });
  if (typeUrl === "" && value.length === 0) return "{}";
  const json = detailJson(typeUrl, value, decoders, depth + 1);
  if (json === undefined) throw new Error(`an Any holds the unknown type ${typeUrl}`);
  return json;
}

/** JSON of an Any by its parts, in bytes; undefined when the type is not known. */
export function detailJson(
  typeUrl: string,
  value: Uint8Array,
  decoders: MessageDecoders,
  depth = 0,
): string | undefined {
  const desc = decoders.registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  if (!desc) return undefined;
  const decoder = decoders.of(desc);
  const reader = new WireReader(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  const type = toBytes(`"@type":${JSON.stringify(typeUrl)}`);
  if (decoder.wellKnown) return `{${type},"value":${decoder.json(reader, depth)}}`;
  const members = decoder.members(reader, depth);
  return `{${type}${members === "" ? "" : `,${members}`}}`;
}
