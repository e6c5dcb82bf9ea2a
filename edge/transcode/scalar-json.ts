import { ScalarType } from "@bufbuild/protobuf";
import type { JsonWriter } from "./json-writer.ts";
import type { WireReader } from "./wire-reader.ts";

/** Reads one value and writes it as JSON. */
export type WriteJson = (reader: WireReader, out: JsonWriter) => void;

const QUOTE = 0x22;
const MINUS = 0x2d;

/** A signed 32-bit integer. */
export function writeInt32(out: JsonWriter, value: number): void {
  if (value >= 0) return out.digits(value);
  out.byte(MINUS);
  out.digits(-value);
}

/** The halves as the decimal digits of a 64-bit integer, which is a string in JSON. */
function writeDecimal(out: JsonWriter, low: number, high: number, signed: boolean): void {
  out.byte(QUOTE);
  if (high === 0) out.digits(low);
  else if (high < 0x200000) out.text(String(high * 0x100000000 + low));
  else {
    const value = (BigInt(high) << 32n) | BigInt(low);
    out.text((signed ? BigInt.asIntN(64, value) : value).toString());
  }
  out.byte(QUOTE);
}

const WRITERS: Record<ScalarType, WriteJson> = {
  [ScalarType.STRING]: (reader, out) => {
    const start = reader.take(reader.varint32());
    out.string(reader.bytes, start, reader.pos);
  },
  [ScalarType.BYTES]: (reader, out) => {
    out.byte(QUOTE);
    out.text(reader.view().toString("base64"));
    out.byte(QUOTE);
  },
  [ScalarType.BOOL]: (reader, out) => {
    reader.varint64();
    out.text(reader.low !== 0 || reader.high !== 0 ? "true" : "false");
  },
  [ScalarType.INT32]: (reader, out) => writeInt32(out, reader.varint32() | 0),
  [ScalarType.UINT32]: (reader, out) => out.digits(reader.varint32() >>> 0),
  [ScalarType.SINT32]: (reader, out) => {
    const value = reader.varint32();
    writeInt32(out, (value >>> 1) ^ -(value & 1));
  },
  [ScalarType.FIXED32]: (reader, out) => out.digits(reader.fixed32()),
  [ScalarType.SFIXED32]: (reader, out) => writeInt32(out, reader.fixed32() | 0),
  [ScalarType.INT64]: (reader, out) => {
    reader.varint64();
    writeDecimal(out, reader.low, reader.high, true);
  },
  [ScalarType.UINT64]: (reader, out) => {
    reader.varint64();
    writeDecimal(out, reader.low, reader.high, false);
  },
  [ScalarType.SINT64]: (reader, out) => {
    reader.varint64();
    const value = (BigInt(reader.high) << 32n) | BigInt(reader.low);
    out.text(`"${(value >> 1n) ^ -(value & 1n)}"`);
  },
  [ScalarType.FIXED64]: (reader, out) => {
    reader.fixed64();
    writeDecimal(out, reader.low, reader.high, false);
  },
  [ScalarType.SFIXED64]: (reader, out) => {
    reader.fixed64();
    writeDecimal(out, reader.low, reader.high, true);
  },
  [ScalarType.FLOAT]: (reader, out) => out.text(floatJson(shortestFloat(reader.float()))),
  [ScalarType.DOUBLE]: (reader, out) => out.text(floatJson(reader.double())),
};

export const scalarWriter = (type: ScalarType): WriteJson => WRITERS[type];

/** JSON of the type's default value. */
export function defaultJson(type: ScalarType): string {
  if (type === ScalarType.STRING || type === ScalarType.BYTES) return '""';
  if (type === ScalarType.BOOL) return "false";
  return BIG.has(type) ? '"0"' : "0";
}
const BIG = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/** NaN and the infinities are strings in ProtoJSON; -0 keeps its sign. */
export function floatJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The fewest digits that denote the same 32-bit float. */
function shortestFloat(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return Number(value.toPrecision(9));
}
