import type { DescEnum, DescField, DescMessage, DescOneof, ScalarType } from "@bufbuild/protobuf";
import type { JsonWriter } from "./json-writer.ts";
import type { MessageDecoder, MessageDecoders } from "./message-decoder.ts";
import { wireTypeOf } from "./scalar.ts";
import { defaultJson, scalarWriter, writeInt32 } from "./scalar-json.ts";
import { endOfGroup } from "./wire-order.ts";
import { WireReader } from "./wire-reader.ts";

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const IMPLICIT_PRESENCE = 2;

const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** How one field gets from the wire to JSON text. */
export interface Slot {
  readonly desc: DescField;
  /** Place among the message's fields, by field number. */
  readonly index: number;
  /** `,"name":` in UTF-8. */
  readonly key: Uint8Array;
  readonly oneof: DescOneof | undefined;
  /** A bit of the field's oneof, of 31 that oneofs share; 0 for a field in none. */
  readonly oneofBit: number;
  /** Singular message: several occurrences are one message. */
  readonly merges: boolean;
  /** A list or map, which may occur any number of times. */
  readonly repeated: boolean;
  /** What an absent field without presence, list or map looks like when defaults are written. */
  readonly emptyJson: string | undefined;
  readonly wireType: number;
  /** A list whose values may also come packed into one length-delimited field. */
  readonly packable: boolean;
  /**
   * Writes the value behind a tag and, for a list or map, all that follow with the same field.
   * @returns false when that is the same as nothing: an empty list, or the default without presence
   */
  write(reader: WireReader, out: JsonWriter, tag: number, depth: number): boolean;
}

/** Writes one value of a list, map or field. */
type WriteElement = (reader: WireReader, out: JsonWriter, depth: number) => void;

export function compileSlot(desc: DescField, index: number, decoders: MessageDecoders): Slot {
  const name = decoders.style.protoNames ? desc.name : desc.jsonName;
  const isMap = desc.fieldKind === "map";
  const { wireType, write } = isMap
    ? { wireType: LENGTH_DELIMITED, write: undefined }
    : element(desc, decoders);
  const list = desc.fieldKind === "list";
  const packable = list && wireType !== LENGTH_DELIMITED && wireType !== START_GROUP;
  const occurrence = isMap
    ? { emptyJson: "{}", write: mapWriter(desc, decoders) }
    : list
      ? { emptyJson: "[]", write: listWriter(desc.number, wireType, packable, write!) }
      : singular(desc, write!, decoders);
  // All slots have one shape, which keeps the loop over them fast.
  return {
    desc,
    index,
    key: Buffer.from(`,${JSON.stringify(name)}:`),
    oneof: desc.oneof,
    oneofBit: desc.oneof ? 1 << (desc.parent.oneofs.indexOf(desc.oneof) % 31) : 0,
    merges: !list && !isMap && desc.message !== undefined,
    repeated: list || isMap,
    wireType,
    packable,
    ...occurrence,
  };
}

/** A field that has one value, and what its absence looks like. */
function singular(
  desc: DescField,
  write: WriteElement,
  decoders: MessageDecoders,
): Pick<Slot, "emptyJson" | "write"> {
  if (desc.message || desc.presence !== IMPLICIT_PRESENCE) {
    return {
      emptyJson: undefined,
      write(reader, out, _tag, depth) {
        write(reader, out, depth);
        return true;
      },
    };
  }
  const emptyJson = desc.enum ? enumText(desc.enum, decoders)(0) : defaultJson(desc.scalar as ScalarType);
  return {
    emptyJson,
    write(reader, out, _tag, depth) {
      const start = out.pos;
      write(reader, out, depth);
      return !isWritten(out, start, emptyJson);
    },
  };
}

/** Whether `text` is all that was written from `start` on. */
function isWritten(out: JsonWriter, start: number, text: string): boolean {
  if (out.pos - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (out.bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

function listWriter(number: number, wireType: number, packable: boolean, write: WriteElement): Slot["write"] {
  const unpackedTag = (number << 3) | wireType;
  const packedTag = packable ? (number << 3) | LENGTH_DELIMITED : unpackedTag;
  return (reader, out, firstTag, depth) => {
    const start = out.pos;
    let tag = firstTag;
    for (;;) {
      if (packable && tag === packedTag) {
        const end = reader.end;
        const length = reader.varint32();
        const from = reader.take(length);
        reader.end = reader.pos;
        reader.pos = from;
        while (reader.pos < reader.end) {
          out.byte(COMMA);
          write(reader, out, depth);
        }
        reader.end = end;
      } else {
        out.byte(COMMA);
        write(reader, out, depth);
      }
      const { pos } = reader;
      if (pos >= reader.end) break;
      tag = reader.varint32();
      if (tag === unpackedTag || tag === packedTag) continue;
      reader.pos = pos;
      break;
    }
    if (out.pos === start) return false;
    // In place of the first comma.
    out.bytes[start] = OPEN_LIST;
    out.byte(CLOSE_LIST);
    return true;
  };
}

/** The element type of a list or map, or the field's own. */
function element(desc: DescField, decoders: MessageDecoders): { wireType: number; write: WriteElement } {
  if (desc.message) {
    const message = desc.message;
    const group = (desc.fieldKind === "message" || desc.fieldKind === "list") && desc.delimitedEncoding;
    return {
      wireType: group ? START_GROUP : LENGTH_DELIMITED,
      write: group ? groupWriter(message, decoders) : messageWriter(message, decoders),
    };
  }
  if (desc.enum) return { wireType: 0, write: enumWriter(desc.enum, decoders) };
  const scalar = desc.scalar as ScalarType;
  return { wireType: wireTypeOf(scalar), write: scalarWriter(scalar) };
}

function messageWriter(message: DescMessage, decoders: MessageDecoders): WriteElement {
  let decoder: MessageDecoder | undefined;
  return (reader, out, depth) => {
    decoder ??= decoders.of(message);
    const start = reader.take(reader.varint32());
    const { end, pos } = reader;
    reader.pos = start;
    reader.end = pos;
    decoder.write(reader, out, depth + 1);
    reader.pos = pos;
    reader.end = end;
  };
}

/** proto2 groups and delimited fields of editions: the content runs to the end tag. */
function groupWriter(message: DescMessage, decoders: MessageDecoders): WriteElement {
  return (reader, out, depth) => {
    const start = reader.pos;
    const end = endOfGroup(reader);
    decoders.of(message).write(new WireReader(reader.bytes, start, end), out, depth + 1);
  };
}

/** The name of a known number (the first, where there are aliases) in quotes, the number of an unknown one. */
function enumText(desc: DescEnum, decoders: MessageDecoders): (value: number) => string {
  if (desc.typeName === "google.protobuf.NullValue") return () => "null";
  if (decoders.style.enumsAsInts) return String;
  const names = new Map<number, string>();
  for (const { number, name } of desc.values) if (!names.has(number)) names.set(number, `"${name}"`);
  return (value) => names.get(value) ?? String(value);
}

function enumWriter(desc: DescEnum, decoders: MessageDecoders): WriteElement {
  const text = enumText(desc, decoders);
  const known = new Map(desc.values.map(({ number }) => [number, Buffer.from(text(number))]));
  return (reader, out) => {
    const value = reader.varint32() | 0;
    const name = known.get(value);
    if (name) out.copy(name);
    else if (desc.typeName === "google.protobuf.NullValue") out.text("null");
    else writeInt32(out, value);
  };
}

/** Maps are put together before they are written: of a key that comes twice the last value counts. */
function mapWriter(desc: DescField & { fieldKind: "map" }, decoders: MessageDecoders): Slot["write"] {
  const fieldTag = (desc.number << 3) | LENGTH_DELIMITED;
  const key = scalarWriter(desc.mapKey);
  const keyTag = (1 << 3) | wireTypeOf(desc.mapKey);
  const quoted = (json: string): string => (json.startsWith('"') ? json : `"${json}"`);
  const noKey = quoted(defaultJson(desc.mapKey));
  const value = element(desc, decoders);
  const valueTag = (2 << 3) | value.wireType;
  const writeNoValue = (out: JsonWriter): void => {
    if (desc.message) decoders.of(desc.message).write(new WireReader(Buffer.alloc(0)), out, 0);
    else out.text(desc.enum ? enumText(desc.enum, decoders)(0) : defaultJson(desc.scalar as ScalarType));
  };
  const readEntry = (
    reader: WireReader,
    out: JsonWriter,
    depth: number,
    entries: Map<string, string>,
  ): void => {
    const from = reader.take(reader.varint32());
    const { end, pos } = reader;
    reader.end = pos;
    reader.pos = from;
    const start = out.pos;
    let name = noKey;
    let json: string | undefined;
    while (reader.pos < reader.end) {
      const tag = reader.varint32();
      if (tag === keyTag) {
        key(reader, out);
        name = quoted(out.take(start));
      } else if (tag === valueTag) {
        value.write(reader, out, depth);
        json = out.take(start);
      } else reader.skip(tag & 7);
    }
    reader.end = end;
    if (json === undefined) {
      writeNoValue(out);
      json = out.take(start);
    }
    entries.set(name, json);
  };
  return (reader, out, _tag, depth) => {
    const entries = new Map<string, string>();
    for (;;) {
      readEntry(reader, out, depth, entries);
      const { pos } = reader;
      if (pos < reader.end && reader.varint32() === fieldTag) continue;
      reader.pos = pos;
      break;
    }
    let text = "";
    for (const [name, json] of entries) text += `${text === "" ? "{" : ","}${name}:${json}`;
    out.text(`${text}}`);
    return true;
  };
}
