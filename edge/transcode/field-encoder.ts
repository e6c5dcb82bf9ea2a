import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { duplicateKey, type JsonReader } from "./json-reader.ts";
import type { FieldEncoder, MessageEncoders } from "./message-encoder.ts";
import {
  describe,
  enumFromNumber,
  enumFromText,
  isDefault,
  type ScalarValue,
  scalarFromNumber,
  scalarFromText,
  wireTypeOf,
  writeScalar,
} from "./scalar.ts";
import { isTextMessage } from "./text-message.ts";
import { ValueError } from "./value-error.ts";
import { textMessageWriter } from "./well-known-encoders.ts";
import type { WireWriter } from "./wire-writer.ts";

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;
const IMPLICIT_PRESENCE = 2;

/** One value without its tag: a scalar, an enum or a message. */
interface ElementEncoder {
  readonly wireType: number;
  readonly takesNull: boolean;
  /** False for a value that is ignored; what was written for it must then go again. */
  json(reader: JsonReader, writer: WireWriter): boolean;
  readonly text: ((writer: WireWriter, text: string) => void) | undefined;
}

/** A scalar or enum type: how its values are parsed and written. */
interface ValueType {
  readonly scalar: ScalarType;
  fromText(text: string): ScalarValue;
  /** Undefined for an unknown enum name where unknown fields are ignored, as ProtoJSON parsers do. */
  fromJson(reader: JsonReader): ScalarValue | undefined;
  readonly takesNull: boolean;
}

export function compileField(desc: DescField, encoders: MessageEncoders): FieldEncoder {
  if (desc.fieldKind === "list") return listEncoder(desc, encoders);
  if (desc.fieldKind === "map") return mapEncoder(desc, encoders);
  if (desc.fieldKind === "message") return messageEncoder(desc, desc.message, encoders);
  const type = desc.fieldKind === "enum" ? enumType(desc.enum) : scalarType(desc.scalar);
  const tag = tagOf(desc, wireTypeOf(type.scalar));
  const implicit = desc.presence === IMPLICIT_PRESENCE;
  const put = (writer: WireWriter, value: ScalarValue): void => {
    if (implicit && isDefault(value)) return;
    writer.varint32(tag);
    writeScalar(writer, type.scalar, value);
  };
  return {
    desc,
    takesNull: type.takesNull,
    json: (reader, writer) => {
      const value = type.fromJson(reader);
      if (value !== undefined) put(writer, value);
    },
    text: (writer, texts) => put(writer, type.fromText(texts[0]!)),
    entries: undefined,
    message: undefined,
    wrap: noWrap,
  };
}

function messageEncoder(desc: DescField, message: DescMessage, encoders: MessageEncoders): FieldEncoder {
  const delimited = desc.fieldKind === "message" && desc.delimitedEncoding;
  const tag = tagOf(desc, delimited ? START_GROUP : LENGTH_DELIMITED);
  const wrap: FieldEncoder["wrap"] = (writer, write) => {
    writer.varint32(tag);
    const mark = delimited ? 0 : writer.open();
    write();
    if (delimited) writer.varint32(tag + 1);
    else writer.close(mark);
  };
  const writeText = isTextMessage(message) ? textMessageWriter(message) : undefined;
  return {
    desc,
    takesNull: message.typeName === "google.protobuf.Value",
    json: (reader, writer, overlay) => wrap(writer, () => encoders.of(message).json(reader, writer, overlay)),
    text: writeText && ((writer, texts) => wrap(writer, () => writeText(writer, texts[0]!))),
    entries: undefined,
    message: () => encoders.of(message),
    wrap,
  };
}

function listEncoder(desc: DescField & { fieldKind: "list" }, encoders: MessageEncoders): FieldEncoder {
  const element = elementOf(desc, encoders);
  const packed = desc.packed && element.wireType !== LENGTH_DELIMITED;
  const tag = tagOf(desc, packed ? LENGTH_DELIMITED : element.wireType);
  const each = (writer: WireWriter, writeAll: (before: () => void) => void): void => {
    if (!packed) return writeAll(() => writer.varint32(tag));
    writer.varint32(tag);
    const mark = writer.open();
    writeAll(() => {});
    writer.close(mark);
  };
  const writeText = element.text;
  return {
    desc,
    takesNull: false,
    json: (reader, writer) => {
      reader.open("[");
      if (reader.empty("]")) return;
      each(writer, (before) => {
        do {
          if (!element.takesNull && reader.literal("null"))
            throw new ValueError("a list must not contain null");
          const start = writer.pos;
          before();
          if (!element.json(reader, writer)) writer.pos = start;
        } while (reader.more("]"));
      });
    },
    text:
      writeText &&
      ((writer, texts) =>
        each(writer, (before) => {
          for (const text of texts) {
            before();
            writeText(writer, text);
          }
        })),
    entries: undefined,
    message: undefined,
    wrap: noWrap,
  };
}

function mapEncoder(desc: DescField & { fieldKind: "map" }, encoders: MessageEncoders): FieldEncoder {
  const key = scalarType(desc.mapKey);
  const value = elementOf(desc, encoders);
  const tag = tagOf(desc, LENGTH_DELIMITED);
  const entry = (writer: WireWriter, keyText: string, writeValue: () => unknown): void => {
    const start = writer.pos;
    writer.varint32(tag);
    const mark = writer.open();
    writer.varint32((1 << 3) | wireTypeOf(desc.mapKey));
    writeScalar(writer, desc.mapKey, key.fromText(keyText));
    writer.varint32((2 << 3) | value.wireType);
    if (writeValue() === false) writer.pos = start;
    else writer.close(mark);
  };
  const writeText = desc.mapKind === "message" ? undefined : value.text;
  return {
    desc,
    takesNull: false,
    json: (reader, writer) => {
      const keys = new Set<string>();
      reader.open("{");
      if (reader.empty("}")) return;
      do {
        const name = reader.key();
        const normal = String(key.fromText(name));
        if (keys.has(normal)) throw duplicateKey(name);
        keys.add(normal);
        if (!value.takesNull && reader.literal("null")) throw new ValueError("a map must not contain null");
        entry(writer, name, () => value.json(reader, writer));
      } while (reader.more("}"));
    },
    text: undefined,
    entries:
      writeText &&
      ((writer, pairs) => {
        for (let i = 0; i < pairs.length; i += 2)
          entry(writer, pairs[i]!, () => writeText(writer, pairs[i + 1]!));
      }),
    message: undefined,
    wrap: noWrap,
  };
}

/** Element of a list or value of a map. */
function elementOf(
  desc: DescField & { fieldKind: "list" | "map" },
  encoders: MessageEncoders,
): ElementEncoder {
  const kind = desc.fieldKind === "list" ? desc.listKind : desc.mapKind;
  if (kind === "message") {
    const message = desc.message as DescMessage;
    const group = "delimitedEncoding" in desc && desc.delimitedEncoding;
    const writeText = isTextMessage(message) && !group ? textMessageWriter(message) : undefined;
    const delimit = (writer: WireWriter, write: () => void): void => {
      const mark = group ? 0 : writer.open();
      write();
      if (group) writer.varint32(tagOf(desc, START_GROUP + 1));
      else writer.close(mark);
    };
    return {
      wireType: group ? START_GROUP : LENGTH_DELIMITED,
      takesNull: message.typeName === "google.protobuf.Value",
      json: (reader, writer) => {
        delimit(writer, () => encoders.of(message).json(reader, writer));
        return true;
      },
      text: writeText && ((writer, text) => delimit(writer, () => writeText(writer, text))),
    };
  }
  const type = kind === "enum" ? enumType(desc.enum as DescEnum) : scalarType(desc.scalar as ScalarType);
  return {
    wireType: wireTypeOf(type.scalar),
    takesNull: type.takesNull,
    json: (reader, writer) => {
      const value = type.fromJson(reader);
      if (value !== undefined) writeScalar(writer, type.scalar, value);
      return value !== undefined;
    },
    text: (writer, text) => writeScalar(writer, type.scalar, type.fromText(text)),
  };
}

function scalarType(scalar: ScalarType): ValueType {
  const textual = scalar !== ScalarType.BOOL;
  return {
    scalar,
    takesNull: false,
    fromText: (text) => scalarFromText(scalar, text),
    fromJson: (reader) => {
      const next = reader.peek();
      if (next === '"') {
        const text = reader.string();
        if (textual) return scalarFromText(scalar, text);
      } else if (next === "t" || next === "f") {
        const value = reader.boolean();
        if (value !== undefined && !textual) return value;
      } else if (next === "-" || (next >= "0" && next <= "9"))
        return scalarFromNumber(scalar, reader.number());
      else if (next !== "{" && next !== "[") throw reader.unexpected("a value");
      throw new ValueError(`must be ${describe(scalar)}`);
    },
  };
}

function enumType(desc: DescEnum): ValueType {
  const takesNull = desc.typeName === "google.protobuf.NullValue";
  return {
    scalar: ScalarType.INT32,
    takesNull,
    fromText: (text) => enumFromText(desc, text),
    fromJson: (reader) => {
      const next = reader.peek();
      if (next === '"') {
        const name = reader.string();
        const value = desc.values.find((candidate) => candidate.name === name);
        if (value) return value.number;
        if (reader.ignoreUnknown) return undefined;
        return enumFromText(desc, /^-?\d/.test(name) ? `"${name}"` : name);
      }
      if (next === "-" || (next >= "0" && next <= "9")) return enumFromNumber(reader.number());
      if (takesNull && reader.literal("null")) return 0;
      throw new ValueError(`must be a name or number of ${desc.typeName}`);
    },
  };
}

const tagOf = (desc: DescField, wireType: number): number => ((desc.number << 3) | wireType) >>> 0;

const noWrap: FieldEncoder["wrap"] = () => {
  throw new Error("only a singular message field has content");
};
