import type { DescEnum, DescField, DescMessage, DescOneof, ScalarType } from "@bufbuild/protobuf";
import { toBytes } from "./byte-text.ts";
import type { MessageDecoder, MessageDecoders, SlotValue } from "./message-decoder.ts";
import { wireTypeOf } from "./scalar.ts";
import { defaultJson, type ReadJson, scalarReader } from "./scalar-json.ts";
import { WireReader } from "./wire-reader.ts";

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const IMPLICIT_PRESENCE = 2;

/** How one field gets from the wire to JSON text, in bytes (see byte-text.ts). */
export interface Slot {
  readonly desc: DescField;
  /** Place among the message's fields, by field number. */
  readonly index: number;
  /** `"name":`, in bytes */
  readonly key: string;
  readonly oneof: DescOneof | undefined;
  /** Singular message: several occurrences are one message. */
  readonly merges: boolean;
  readonly message: (() => MessageDecoder) | undefined;
  /** What an absent field without presence, list or map looks like when defaults are written. */
  readonly emptyJson: string | undefined;
  readonly wireType: number;
  /** A list whose values may also come packed into one length-delimited field. */
  readonly packable: boolean;
  /** Values are elements, joined by commas. */
  readonly list: boolean;
  /** Reads one occurrence; `before` is what earlier ones left. */
  read(reader: WireReader, wireType: number, before: SlotValue, depth: number): SlotValue;
}

/** Reads one value of a list, map or field. */
type ReadElement = (reader: WireReader, depth: number) => string;

export function compileSlot(desc: DescField, index: number, decoders: MessageDecoders): Slot {
  const name = decoders.style.protoNames ? desc.name : desc.jsonName;
  const message = desc.message as DescMessage | undefined;
  const { wireType, read } =
    desc.fieldKind === "map" ? { wireType: LENGTH_DELIMITED, read: undefined } : element(desc, decoders);
  const list = desc.fieldKind === "list";
  const singular = !list && desc.fieldKind !== "map";
  const { emptyJson, readSlot } = occurrence(desc, wireType, read, decoders);
  // All slots have one shape, which keeps the loop over them fast.
  return {
    desc,
    index,
    key: toBytes(`${JSON.stringify(name)}:`),
    oneof: desc.oneof,
    merges: singular && message !== undefined,
    message: message && singular ? () => decoders.of(message) : undefined,
    emptyJson,
    wireType,
    packable: list && wireType !== LENGTH_DELIMITED && wireType !== START_GROUP,
    list,
    read: readSlot,
  };
}

/** How an occurrence of a field is read, and what its absence looks like. */
function occurrence(
  desc: DescField,
  wireType: number,
  read: ReadElement | undefined,
  decoders: MessageDecoders,
): { emptyJson: string | undefined; readSlot: Slot["read"] } {
  if (desc.fieldKind === "map") return { emptyJson: "{}", readSlot: mapReader(desc, decoders) };
  const readOne = read!;
  if (desc.fieldKind === "list") return { emptyJson: "[]", readSlot: listReader(wireType, readOne) };
  if (desc.message)
    return { emptyJson: undefined, readSlot: (reader, _found, _before, depth) => readOne(reader, depth) };
  const emptyJson = desc.enum ? enumJson(desc.enum, decoders)(0) : defaultJson(desc.scalar as ScalarType);
  if (desc.presence !== IMPLICIT_PRESENCE)
    return { emptyJson: undefined, readSlot: (reader, _found, _before, depth) => readOne(reader, depth) };
  const readSlot: Slot["read"] = (reader, _found, _before, depth) => {
    const json = readOne(reader, depth);
    return json === emptyJson ? undefined : json;
  };
  return { emptyJson, readSlot };
}

function listReader(wireType: number, read: ReadElement): Slot["read"] {
  return (reader, found, before, depth) => {
    let elements = before as string | undefined;
    const append = (json: string): void => {
      elements = elements === undefined ? json : `${elements},${json}`;
    };
    if (found === wireType) append(read(reader, depth));
    else unpack(reader, () => append(read(reader, depth)));
    return elements;
  };
}

function unpack(reader: WireReader, readOne: () => void): void {
  const length = reader.varint32();
  reader.take(length);
  const { end, pos } = reader;
  reader.end = pos;
  reader.pos = pos - length;
  while (reader.pos < reader.end) readOne();
  reader.end = end;
}

/** The element type of a list or map, or the field's own. */
function element(desc: DescField, decoders: MessageDecoders): { wireType: number; read: ReadElement } {
  if (desc.message) {
    const message = desc.message;
    const group = (desc.fieldKind === "message" || desc.fieldKind === "list") && desc.delimitedEncoding;
    return {
      wireType: group ? START_GROUP : LENGTH_DELIMITED,
      read: group ? groupReader(message, decoders) : messageReader(message, decoders),
    };
  }
  if (desc.enum) {
    const toJson = enumJson(desc.enum, decoders);
    return { wireType: 0, read: (reader) => toJson(reader.varint32() | 0) };
  }
  const scalar = desc.scalar as ScalarType;
  const read: ReadJson = scalarReader(scalar);
  return { wireType: wireTypeOf(scalar), read };
}

function messageReader(message: DescMessage, decoders: MessageDecoders): ReadElement {
  let decoder: MessageDecoder | undefined;
  return (reader, depth) => {
    decoder ??= decoders.of(message);
    const length = reader.varint32();
    const start = reader.take(length);
    const { end, pos } = reader;
    reader.pos = start;
    reader.end = pos;
    const json = decoder.json(reader, depth + 1);
    reader.pos = pos;
    reader.end = end;
    return json;
  };
}

/** proto2 groups and delimited fields of editions: the content runs to the end tag. */
function groupReader(message: DescMessage, decoders: MessageDecoders): ReadElement {
  return (reader, depth) => {
    const start = reader.pos;
    let end = start;
    for (let tag = reader.varint32(); (tag & 7) !== 4; tag = reader.varint32()) {
      reader.skip(tag & 7);
      end = reader.pos;
    }
    return decoders.of(message).json(new WireReader(reader.bytes, start, end), depth + 1);
  };
}

/** The name of a known number (the first, where there are aliases), the number of an unknown one. */
function enumJson(desc: DescEnum, decoders: MessageDecoders): (value: number) => string {
  if (desc.typeName === "google.protobuf.NullValue") return () => "null";
  if (decoders.style.enumsAsInts) return String;
  const names = new Map<number, string>();
  for (const { number, name } of desc.values) if (!names.has(number)) names.set(number, `"${name}"`);
  return (value) => names.get(value) ?? String(value);
}

function mapReader(desc: DescField & { fieldKind: "map" }, decoders: MessageDecoders): Slot["read"] {
  const key = scalarReader(desc.mapKey);
  const keyWireType = wireTypeOf(desc.mapKey);
  const quoted = (json: string): string => (json.startsWith('"') ? json : `"${json}"`);
  const noKey = quoted(defaultJson(desc.mapKey));
  const value = element(desc, decoders);
  const noValue = (): string =>
    desc.message
      ? decoders.of(desc.message).json(new WireReader(Buffer.alloc(0)), 0)
      : desc.enum
        ? enumJson(desc.enum, decoders)(0)
        : defaultJson(desc.scalar as ScalarType);
  return (reader, _wireType, before, depth) => {
    const map = (before as Map<string, string> | undefined) ?? new Map<string, string>();
    const length = reader.varint32();
    reader.take(length);
    const { end, pos } = reader;
    reader.end = pos;
    reader.pos = pos - length;
    let name = noKey;
    let json: string | undefined;
    while (reader.pos < reader.end) {
      const tag = reader.varint32();
      if (tag === ((1 << 3) | keyWireType)) name = quoted(key(reader));
      else if (tag === ((2 << 3) | value.wireType)) json = value.read(reader, depth);
      else reader.skip(tag & 7);
    }
    reader.end = end;
    map.set(name, json ?? noValue());
    return map;
  };
}
