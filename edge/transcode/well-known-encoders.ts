import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { parseFieldMask } from "./field-mask-text.ts";
import { duplicateKey, type JsonReader } from "./json-reader.ts";
import { type MessageEncoders, readObject } from "./message-encoder.ts";
import {
  describe,
  isDefault,
  type ScalarValue,
  scalarFromNumber,
  scalarFromText,
  shorten,
  wireTypeOf,
  writeScalar,
} from "./scalar.ts";
import { WRAPPERS } from "./text-message.ts";
import { parseDuration, parseTimestamp, type SecondsAndNanos } from "./time-text.ts";
import { ValueError } from "./value-error.ts";
import type { WireWriter } from "./wire-writer.ts";

type Encode = (reader: JsonReader, writer: WireWriter) => void;

/** Tags of the fields written here: field number and wire type. */
const VARINT_1 = 0x08;
const VARINT_2 = 0x10;
const BYTES_1 = 0x0a;
const BYTES_2 = 0x12;
/** google.protobuf.Value */
const NUMBER = 0x11;
const STRING = 0x1a;
const BOOL = 0x20;
const STRUCT = 0x2a;
const LIST = 0x32;

/** The encoder of a type whose JSON form is not an object of its fields; undefined for every other type. */
export function wellKnownEncoder(desc: DescMessage, encoders: MessageEncoders): Encode | undefined {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
    case "google.protobuf.Duration":
    case "google.protobuf.FieldMask": {
      const write = textMessageWriter(desc, false);
      return (reader, writer) => write(writer, stringOf(reader));
    }
    case "google.protobuf.Struct":
      return writeStruct;
    case "google.protobuf.Value":
      return writeValue;
    case "google.protobuf.ListValue":
      return writeList;
    case "google.protobuf.Any":
      return (reader, writer) => writeAny(reader, writer, encoders);
    default: {
      const scalar = WRAPPERS.get(desc.typeName);
      return scalar === undefined
        ? undefined
        : (reader, writer) => writeWrapped(writer, scalar, wrappedValue(scalar, reader));
    }
  }
}

/**
 * Writes the fields of a Timestamp, Duration, FieldMask or wrapper from text.
 * @param snakeToo whether a FieldMask may also be in proto names
 */
export function textMessageWriter(
  desc: DescMessage,
  snakeToo = true,
): (writer: WireWriter, text: string) => void {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return (writer, text) => writeTime(writer, parseTimestamp(text));
    case "google.protobuf.Duration":
      return (writer, text) => writeTime(writer, parseDuration(text));
    case "google.protobuf.FieldMask":
      return (writer, text) => {
        for (const path of parseFieldMask(text, snakeToo)) {
          writer.varint32(BYTES_1);
          writer.string(path);
        }
      };
    default: {
      const scalar = WRAPPERS.get(desc.typeName)!;
      return (writer, text) => writeWrapped(writer, scalar, scalarFromText(scalar, text));
    }
  }
}

function stringOf(reader: JsonReader): string {
  if (reader.peek() !== '"') throw new ValueError("must be a string");
  return reader.string();
}

function writeTime(writer: WireWriter, { seconds, nanos }: SecondsAndNanos): void {
  if (seconds !== 0) {
    writer.varint32(VARINT_1);
    writer.varint64(BigInt(seconds));
  }
  if (nanos !== 0) {
    writer.varint32(VARINT_2);
    writer.int32(nanos);
  }
}

function writeWrapped(writer: WireWriter, scalar: ScalarType, value: ScalarValue): void {
  if (isDefault(value)) return;
  writer.varint32((1 << 3) | wireTypeOf(scalar));
  writeScalar(writer, scalar, value);
}

function wrappedValue(scalar: ScalarType, reader: JsonReader): ScalarValue {
  const next = reader.peek();
  if (scalar === ScalarType.BOOL) {
    const value = reader.boolean();
    if (value !== undefined) return value;
  } else if (next === '"') return scalarFromText(scalar, reader.string());
  else if (next === "-" || (next >= "0" && next <= "9")) return scalarFromNumber(scalar, reader.number());
  throw new ValueError(`must be ${describe(scalar)}`);
}

function writeStruct(reader: JsonReader, writer: WireWriter): void {
  const keys = new Set<string>();
  reader.open("{");
  if (reader.empty("}")) return;
  do {
    const key = reader.key();
    if (keys.has(key)) throw duplicateKey(key);
    keys.add(key);
    writer.varint32(BYTES_1);
    const entry = writer.open();
    writer.varint32(BYTES_1);
    writer.string(key);
    writer.varint32(BYTES_2);
    const value = writer.open();
    writeValue(reader, writer);
    writer.close(value);
    writer.close(entry);
  } while (reader.more("}"));
}

function writeList(reader: JsonReader, writer: WireWriter): void {
  reader.open("[");
  if (reader.empty("]")) return;
  do {
    writer.varint32(BYTES_1);
    const value = writer.open();
    writeValue(reader, writer);
    writer.close(value);
  } while (reader.more("]"));
}

function writeValue(reader: JsonReader, writer: WireWriter): void {
  const next = reader.peek();
  if (next === "{" || next === "[") {
    writer.varint32(next === "{" ? STRUCT : LIST);
    const mark = writer.open();
    if (next === "{") writeStruct(reader, writer);
    else writeList(reader, writer);
    writer.close(mark);
  } else if (next === '"') {
    writer.varint32(STRING);
    writer.string(reader.string());
  } else if (next === "t" || next === "f") {
    const value = reader.boolean();
    if (value === undefined) throw reader.unexpected("a value");
    writer.varint32(BOOL);
    writer.varint32(value ? 1 : 0);
  } else if (reader.literal("null")) {
    writer.varint32(VARINT_1);
    writer.varint32(0);
  } else {
    const value = scalarFromNumber(ScalarType.DOUBLE, reader.number());
    writer.varint32(NUMBER);
    writer.double(value as number);
  }
}

/** `{"@type": url, …}`: the type may stand anywhere, so the object is read twice. */
function writeAny(reader: JsonReader, writer: WireWriter, encoders: MessageEncoders): void {
  const start = reader.mark();
  const typeUrl = findType(reader);
  if (typeUrl === undefined) return;
  const desc = encoders.registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  if (!desc || !typeUrl.includes("/"))
    throw new ValueError(`"${shorten(typeUrl)}" is no known type`).within("@type");
  writer.varint32(BYTES_1);
  writer.string(typeUrl);
  writer.varint32(BYTES_2);
  const mark = writer.open();
  const end = reader.mark();
  reader.rewind(start);
  const encoder = encoders.of(desc);
  if (encoder.wellKnown) readWrappedAny(reader, (inner) => encoder.json(inner, writer));
  else readObject(encoder.byName, desc, reader, writer, undefined, "@type");
  if (reader.mark() !== end) throw new ValueError("invalid JSON");
  writer.close(mark);
}

/** Reads the whole object, checking it; undefined for an empty one. */
function findType(reader: JsonReader): string | undefined {
  let typeUrl: string | undefined;
  reader.open("{");
  if (reader.empty("}")) return undefined;
  do {
    if (reader.key() !== "@type") reader.skip();
    else if (typeUrl !== undefined) throw duplicateKey("@type");
    else typeUrl = stringOf(reader);
  } while (reader.more("}"));
  if (typeUrl === undefined) throw new ValueError('has no "@type"');
  return typeUrl;
}

/** `{"@type": url, "value": …}`: the form for types that are no JSON objects themselves. */
function readWrappedAny(reader: JsonReader, readInner: (reader: JsonReader) => void): void {
  let found = false;
  reader.open("{");
  do {
    const key = reader.key();
    if (key === "@type") reader.skip();
    else if (key === "value" && !found) {
      found = true;
      readInner(reader);
    } else throw new ValueError('only "@type" and "value" are allowed').within(shorten(key));
  } while (reader.more("}"));
  if (!found) throw new ValueError('has no "value"');
}
