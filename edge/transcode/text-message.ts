import { type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** Wrapper types and the scalar each one holds (google/protobuf/wrappers.proto). */
export const WRAPPERS: ReadonlyMap<string, ScalarType> = new Map([
  ["google.protobuf.DoubleValue", ScalarType.DOUBLE],
  ["google.protobuf.FloatValue", ScalarType.FLOAT],
  ["google.protobuf.Int64Value", ScalarType.INT64],
  ["google.protobuf.UInt64Value", ScalarType.UINT64],
  ["google.protobuf.Int32Value", ScalarType.INT32],
  ["google.protobuf.UInt32Value", ScalarType.UINT32],
  ["google.protobuf.BoolValue", ScalarType.BOOL],
  ["google.protobuf.StringValue", ScalarType.STRING],
  ["google.protobuf.BytesValue", ScalarType.BYTES],
]);

const TEXT = new Set(["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"]);

/** Messages whose ProtoJSON form is a scalar, so that a path or query text can hold them. */
export function isTextMessage(message: DescMessage): boolean {
  return TEXT.has(message.typeName) || WRAPPERS.has(message.typeName);
}
