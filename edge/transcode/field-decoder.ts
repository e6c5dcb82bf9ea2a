import type { DescEnum, DescField, DescMessage, DescOneof, ScalarType } from "@bufbuild/protobuf";
import type { MessageDecoder, MessageDecoders, SlotValue } from "./message-decoder.ts";
import { wireTypeOf } from "./scalar.ts";
import { defaultJson, type ReadJson, scalarReader } from "./scalar-json.ts";
import { WireReader } from "./wire-reader.ts";

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const IMPLICIT_PRESENCE = 2;

/** How one field gets from the wire to JSON text. */
export interface Slot {
  readonly desc: DescField;
  /** Place among the message's fields, by field number. */
  readonly index: number;
  /** `"name":` */
  readonly key: string;
  readonly oneof: DescOneof | undefined;
  /** Singular message: several occurrences are one message. */
  readonly merges: boolean;
  readonly message: (() => MessageDecoder) | undefined;
  /** What an absent field without presence, list or map looks like when defaults are written. */
  readonly emptyJson: string | undefined;
  accepts(wireType: number): boolean;
  /** Reads one occurrence; `before` is what earlier ones left. */
  read(reader: WireReader, wireType: number, before: SlotValue, depth: number): SlotValue;
}

/** Reads one value of a list, map or field. */
type ReadElement = (reader: WireReader, depth: number) => string;

export function compileSlot(desc: DescField, index: number, decoders: MessageDecoders): Slot {
  const name = decoders.style.protoNames ? desc.name : desc.jsonName;
  const base = {
    desc,
    index,
    key: `${JSON.stringify(name)}:`,
    oneof: desc.oneof,
    merges: false,
    message: undefined,
  };
  if (desc.fieldKind === "map") {
    return {
      ...base,
      emptyJson: "{}",
      accepts: (wireType) => wireType === LENGTH_DELIMITED,
      read: mapReader(desc, decoders),
    };
  }
  const message = desc.message as DescMessage | undefined;
  const { wireType, read } = element(desc, decoders);
  if (desc.fieldKind === "list") {
    const packable = wireType !== LENGTH_DELIMITED && wireType !== START_GROUP;
    return {
      ...base,
      emptyJson: "[]",
      accepts: (found) => found === wireType || (packable && found === LENGTH_DELIMITED),
      read: (reader, found, before, depth) => {
        const list = (before as string[] | undefined) ?? [];
        if (found === wireType) list.push(read(reader, depth));
        else unpack(reader, () => list.push(read(reader, depth)));
        return list;
      },
    };
  }
  if (message) {
    return {
      ...base,
      merges: true,
      message: () => decoders.of(message),
      emptyJson: undefined,
      accepts: (found) => found === wireType,
      read: (reader, _found, _before, depth) => read(reader, depth),
    };
  }
  const emptyJson =
    desc.fieldKind === "enum" ? enumJson(desc.enum, decoders)(0) : defaultJson(desc.scalar as ScalarType);
  const implicit = desc.presence === IMPLICIT_PRESENCE;
  return {
    ...base,
    emptyJson: implicit ? emptyJson : undefined,
    accepts: (found) => found === wireType,
    read: (reader, _found, _before, depth) => {
      const json = read(reader, depth);
      return implicit && json === emptyJson ? undefined : json;
    },
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
