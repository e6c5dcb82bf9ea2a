/** Messages as people may see them: without the fields that the contract calls sensitive. */
import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { field as fieldOption } from "#gen/weft/policy/v1/policy_pb.ts";

/** What stands in the place of a sensitive value. */
export const redacted = "[redacted]";

/**
 * A message as proto JSON, with "[redacted]" for each sensitive value that is set.
 * @param registry knows what a google.protobuf.Any may hold
 * @throws Error where one holds something else
 */
export function redactedJson(schema: DescMessage, message: Message, registry?: Registry): JsonObject {
  const json = toJson(schema, message, registry && { registry });
  return isObject(json) ? redact(schema, json, registry) : {};
}

function redact(schema: DescMessage, json: JsonObject, registry: Registry | undefined): JsonObject {
  const fields = new Map(schema.fields.map((field) => [field.jsonName, field]));
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, redactField(fields.get(name), value, registry)]),
  );
}

function redactField(
  field: DescField | undefined,
  value: JsonValue,
  registry: Registry | undefined,
): JsonValue {
  if (!field) return value;
  if (hasOption(field, fieldOption) && getOption(field, fieldOption).sensitive) return redacted;
  const { message } = field;
  if (!message) return value;
  const within = (item: JsonValue) => {
    const known = isObject(item) ? messageIn(message, item, registry) : undefined;
    return known ? redact(known, item as JsonObject, registry) : item;
  };
  if (Array.isArray(value)) return value.map(within);
  if (field.fieldKind === "map" && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, within(item)]));
  return within(value);
}

/** Well-known types have a JSON form of their own and no options of ours; an Any has the fields of what it holds. */
function messageIn(
  message: DescMessage,
  json: JsonObject,
  registry: Registry | undefined,
): DescMessage | undefined {
  if (message.typeName !== "google.protobuf.Any")
    return message.typeName.startsWith("google.protobuf.") ? undefined : message;
  const url = String(json["@type"] ?? "");
  return registry?.getMessage(url.slice(url.lastIndexOf("/") + 1));
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
