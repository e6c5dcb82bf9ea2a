/** Messages whose ProtoJSON form is not an object of their fields (https://protobuf.dev/programming-guides/json). */
import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Schema } from "./json.ts";
import { scalarSchema } from "./scalar.ts";

const wrappers: ReadonlyMap<string, ScalarType> = new Map([
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

const texts: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  // Not format "duration", which is ISO 8601's.
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.FieldMask": { type: "string" },
};

const others: Readonly<Record<string, Schema>> = {
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array", items: {} },
  "google.protobuf.Empty": { type: "object", description: "Nothing." },
};

/** Schema of a well-known type with a JSON form of its own; undefined for every other message. */
export function wellKnownSchema({ typeName }: DescMessage): Schema | undefined {
  const wrapped = wrappers.get(typeName);
  return wrapped === undefined ? (texts[typeName] ?? others[typeName]) : scalarSchema(wrapped);
}

/** The scalar inside a wrapper message; undefined for every other message. */
export function wrappedScalar({ typeName }: DescMessage): ScalarType | undefined {
  return wrappers.get(typeName);
}

/** Whether a path or a query can hold the message: its JSON form is a scalar. */
export function isTextMessage({ typeName }: DescMessage): boolean {
  return wrappers.has(typeName) || texts[typeName] !== undefined;
}

/** google.api.HttpBody: the bytes themselves, of any media type, and no JSON (google/api/httpbody.proto). */
export function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === "google.api.HttpBody";
}
