/** Messages as people may see them: without the fields that the contract calls sensitive. */
import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { field as fieldOption } from "#gen/weft/policy/v1/policy_pb.ts";

/** What stands in the place of a sensitive value. */
export const redacted = "[redacted]";

/** A message as proto JSON, with "[redacted]" for each sensitive value that is set. */
export function redactedJson(schema: DescMessage, message: Message): JsonObject {
  const json = toJson(schema, message);
  return isObject(json) ? redact(schema, json) : {};
}

function redact(schema: DescMessage, json: JsonObject): JsonObject {
  const fields = new Map(schema.fields.map((field) => [field.jsonName, field]));
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, redactField(fields.get(name), value)]),
  );
}

function redactField(field: DescField | undefined, value: JsonValue): JsonValue {
  if (!field) return value;
  if (hasOption(field, fieldOption) && getOption(field, fieldOption).sensitive) return redacted;
  const { message } = field;
  // Well-known types have a JSON form of their own and no options of ours.
  if (!message || message.typeName.startsWith("google.protobuf.")) return value;
  const within = (item: JsonValue) => (isObject(item) ? redact(message, item) : item);
  if (Array.isArray(value)) return value.map(within);
  if (field.fieldKind === "map" && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, within(item)]));
  return within(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
