import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { ValueError } from "./value-error.ts";
import type { WireWriter } from "./wire-writer.ts";

/** 32-bit integers, enums and floats are numbers, 64-bit integers bigints. */
export type ScalarValue = number | bigint | string | boolean | Uint8Array;

const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const ZERO = 0x30;
const MAX_FLOAT = 3.4028234663852886e38;

interface IntegerRange {
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
  readonly big: boolean;
}
const range = (name: string, bits: bigint, signed: boolean): IntegerRange => ({
  name,
  min: signed ? -(1n << (bits - 1n)) : 0n,
  max: (1n << (signed ? bits - 1n : bits)) - 1n,
  big: bits === 64n,
});
const INT32 = range("32-bit integer", 32n, true);
const UINT32 = range("unsigned 32-bit integer", 32n, false);
const INT64 = range("64-bit integer", 64n, true);
const UINT64 = range("unsigned 64-bit integer", 64n, false);
const INTEGERS: Partial<Record<ScalarType, IntegerRange>> = {
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
};

/**
 * A scalar from text: the content of a JSON string, a path variable or a query parameter. ProtoJSON's
 * grammar for strings: JSON numbers, exact NaN and Infinity, either base64 alphabet.
 * @throws ValueError
 */
export function scalarFromText(type: ScalarType, text: string): ScalarValue {
  const integer = INTEGERS[type];
  if (integer) return integerFrom(text, integer);
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      if (text === "true" || text === "false") return text === "true";
      throw new ValueError("must be true or false");
    case ScalarType.BYTES:
      return bytesFrom(text);
    default:
      if (text === "NaN") return Number.NaN;
      if (text === "Infinity") return Number.POSITIVE_INFINITY;
      if (text === "-Infinity") return Number.NEGATIVE_INFINITY;
      return floatFrom(type, text);
  }
}

/** A number written as JSON number; `text` is the token as sent, so no digit is lost. */
export function scalarFromNumber(type: ScalarType, text: string): ScalarValue {
  const integer = INTEGERS[type];
  if (integer) return integerFrom(text, integer);
  if (type === ScalarType.DOUBLE || type === ScalarType.FLOAT) return floatFrom(type, text);
  throw new ValueError(`must be ${describe(type)}, not a number`);
}

/** What a value of the type looks like, for error texts. */
export function describe(type: ScalarType): string {
  if (type === ScalarType.STRING) return "a string";
  if (type === ScalarType.BOOL) return "true or false";
  if (type === ScalarType.BYTES) return "a base64 string";
  return INTEGERS[type] ? `a${INTEGERS[type].min === 0n ? "n" : ""} ${INTEGERS[type].name}` : "a number";
}

/** Name first; a number where the name is none. Enums are open: an unknown number passes. */
export function enumFromText(type: DescEnum, text: string): number {
  const named = type.values.find((value) => value.name === text);
  if (named) return named.number;
  if (/^-?\d/.test(text)) return enumFromNumber(text);
  throw new ValueError(`"${shorten(text)}" is no value of ${type.typeName}`);
}

export function enumFromNumber(text: string): number {
  return Number(integerFrom(text, INT32));
}

function integerFrom(text: string, { name, min, max, big }: IntegerRange): number | bigint {
  // Short plain integers are nearly all there are.
  if (text.length < 10 && /^-?(?:0|[1-9]\d*)$/.test(text)) {
    const value = Number(text) || 0;
    if (value < 0 && min === 0n) throw new ValueError(`must be an ${name}`);
    return big ? BigInt(value) : value;
  }
  const value = exactInteger(text);
  if (value === undefined) throw new ValueError(`must be a${min === 0n ? "n" : ""} ${name}`);
  if (value < min || value > max)
    throw new ValueError(`is out of range for a${min === 0n ? "n" : ""} ${name}`);
  return big ? value : Number(value);
}

/** The integer a JSON number denotes, fraction and exponent included (1e2, 4.0); undefined when it is none. */
function exactInteger(text: string): bigint | undefined {
  const match = NUMBER.exec(text);
  if (!match) return undefined;
  const [, sign, whole, fraction = "", exponent = "0"] = match;
  const all = whole + fraction;
  let start = 0;
  let end = all.length;
  // Not with /0+$/: that takes time with the square of the length.
  while (all.charCodeAt(start) === ZERO) start++;
  while (end > start && all.charCodeAt(end - 1) === ZERO) end--;
  if (start === end) return 0n;
  const digits = all.slice(start, end);
  const shift = Number(exponent) - fraction.length + all.length - end;
  if (shift < 0) return undefined;
  // Anything longer is out of every range; do not build it.
  if (digits.length + shift > 25) return sign ? -(10n ** 25n) : 10n ** 25n;
  const value = BigInt(digits) * 10n ** BigInt(shift);
  return sign ? -value : value;
}

function floatFrom(type: ScalarType, text: string): number {
  if (!NUMBER.test(text)) throw new ValueError("must be a number");
  const value = Number(text);
  const rounded = type === ScalarType.FLOAT && Math.abs(value) > MAX_FLOAT ? Math.fround(value) : value;
  if (!Number.isFinite(rounded)) throw new ValueError("is out of range");
  return value;
}

function bytesFrom(text: string): Uint8Array {
  const end = text.indexOf("=");
  const digits = end < 0 ? text : text.slice(0, end);
  const padded = end < 0 || (text.length % 4 === 0 && /^={1,2}$/.test(text.slice(end)));
  if (!padded || digits.length % 4 === 1 || !/^[A-Za-z0-9+/_-]*$/.test(digits))
    throw new ValueError("must be base64");
  return Buffer.from(digits, "base64");
}

/** Text from outside, cut so that an error message cannot be made long. */
export const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Wire type of the scalar: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
export function wireTypeOf(type: ScalarType): number {
  switch (type) {
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 1;
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 2;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return 5;
    default:
      return 0;
  }
}

/** Whether a field without presence leaves the value out. */
export function isDefault(value: ScalarValue): boolean {
  if (typeof value === "number") return Object.is(value, 0);
  if (typeof value === "object") return value.length === 0;
  return value === 0n || value === "" || value === false;
}

/** The value without its tag. */
export function writeScalar(writer: WireWriter, type: ScalarType, value: ScalarValue): void {
  switch (type) {
    case ScalarType.STRING:
      return writer.string(value as string);
    case ScalarType.BYTES:
      return writer.bytes(value as Uint8Array);
    case ScalarType.BOOL:
      return writer.varint32(value ? 1 : 0);
    case ScalarType.INT32:
      return writer.int32(value as number);
    case ScalarType.UINT32:
      return writer.varint32(value as number);
    case ScalarType.SINT32:
      return writer.varint32((((value as number) << 1) ^ ((value as number) >> 31)) >>> 0);
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return writer.fixed32(value as number);
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return writer.varint64(value as bigint);
    case ScalarType.SINT64:
      return writer.varint64(BigInt.asUintN(64, ((value as bigint) << 1n) ^ ((value as bigint) >> 63n)));
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return writer.fixed64(value as bigint);
    case ScalarType.FLOAT:
      return writer.float(value as number);
    default:
      return writer.double(value as number);
  }
}
