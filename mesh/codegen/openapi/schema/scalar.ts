/** Scalars in ProtoJSON (https://protobuf.dev/programming-guides/json): the form that is written. */
import { ScalarType } from "@bufbuild/protobuf";
import type { Schema } from "./json.ts";

const signed = { type: "string", format: "int64", pattern: "^-?[0-9]+$" };
const unsigned = { type: "string", format: "uint64", pattern: "^[0-9]+$" };
const int32 = { type: "integer", format: "int32" };
const uint32 = { type: "integer", format: "uint32", minimum: 0 };

const schemas: Record<ScalarType, Schema> = {
  [ScalarType.DOUBLE]: floating("double"),
  [ScalarType.FLOAT]: floating("float"),
  [ScalarType.INT64]: signed,
  [ScalarType.SINT64]: signed,
  [ScalarType.SFIXED64]: signed,
  [ScalarType.UINT64]: unsigned,
  [ScalarType.FIXED64]: unsigned,
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BYTES]: { type: "string", format: "byte", contentEncoding: "base64" },
};

/** Schema of a scalar without rules. */
export function scalarSchema(type: ScalarType): Schema {
  return schemas[type];
}

/** Schema of a map key: always a string in JSON. */
export function mapKeySchema(type: ScalarType): Schema {
  if (type === ScalarType.STRING) return {};
  if (type === ScalarType.BOOL) return { enum: ["true", "false"] };
  return { pattern: isUnsigned(type) ? "^[0-9]+$" : "^-?[0-9]+$" };
}

/** Whether JSON writes the type as a string of digits. */
export function is64Bit(type: ScalarType): boolean {
  return schemas[type] === signed || schemas[type] === unsigned;
}

export function isFloating(type: ScalarType): boolean {
  return type === ScalarType.DOUBLE || type === ScalarType.FLOAT;
}

function isUnsigned(type: ScalarType): boolean {
  return schemas[type] === unsigned || schemas[type] === uint32;
}

function floating(format: string): Schema {
  return {
    anyOf: [
      { type: "number", format },
      { type: "string", enum: ["NaN", "Infinity", "-Infinity"] },
    ],
  };
}
