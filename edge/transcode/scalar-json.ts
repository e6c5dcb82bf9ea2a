import { ScalarType } from "@bufbuild/protobuf";
import type { WireReader } from "./wire-reader.ts";

/** Reads one value and returns it as JSON text. */
export type ReadJson = (reader: WireReader) => string;

/** The halves as the decimal digits of a 64-bit integer. */
function decimal(low: number, high: number, signed: boolean): string {
  if (high < 0x200000) return String(high * 0x100000000 + low);
  const value = (BigInt(high) << 32n) | BigInt(low);
  return (signed ? BigInt.asIntN(64, value) : value).toString();
}

const signed64: ReadJson = (reader) => {
  reader.varint64();
  return `"${decimal(reader.low, reader.high, true)}"`;
};

const READERS: Record<ScalarType, ReadJson> = {
  [ScalarType.STRING]: (reader) => reader.jsonString(),
  [ScalarType.BYTES]: (reader) => `"${reader.view().toString("base64")}"`,
  [ScalarType.BOOL]: (reader) => {
    reader.varint64();
    return reader.low !== 0 || reader.high !== 0 ? "true" : "false";
  },
  [ScalarType.INT32]: (reader) => String(reader.varint32() | 0),
  [ScalarType.UINT32]: (reader) => String(reader.varint32() >>> 0),
  [ScalarType.SINT32]: (reader) => {
    const value = reader.varint32();
    return String((value >>> 1) ^ -(value & 1));
  },
  [ScalarType.FIXED32]: (reader) => String(reader.fixed32()),
  [ScalarType.SFIXED32]: (reader) => String(reader.fixed32() | 0),
  [ScalarType.INT64]: signed64,
  [ScalarType.UINT64]: (reader) => {
    reader.varint64();
    return `"${decimal(reader.low, reader.high, false)}"`;
  },
  [ScalarType.SINT64]: (reader) => {
    reader.varint64();
    const value = (BigInt(reader.high) << 32n) | BigInt(reader.low);
    return `"${(value >> 1n) ^ -(value & 1n)}"`;
  },
  [ScalarType.FIXED64]: (reader) => {
    reader.fixed64();
    return `"${decimal(reader.low, reader.high, false)}"`;
  },
  [ScalarType.SFIXED64]: (reader) => {
    reader.fixed64();
    return `"${decimal(reader.low, reader.high, true)}"`;
  },
  [ScalarType.FLOAT]: (reader) => floatJson(shortestFloat(reader.float())),
  [ScalarType.DOUBLE]: (reader) => floatJson(reader.double()),
};

export const scalarReader = (type: ScalarType): ReadJson => READERS[type];

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
