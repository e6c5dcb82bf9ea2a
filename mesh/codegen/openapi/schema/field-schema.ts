/** One field of a message in ProtoJSON, with its rules where it is a request's. */
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { behaviourOf } from "../contract/field-behaviour.ts";
import { constrain } from "../rules/constrain.ts";
import { fieldRules } from "../rules/read-rules.ts";
import { commentOf, paragraphs } from "./comments.ts";
import type { Direction } from "./direction.ts";
import { enumSchema } from "./enum-schema.ts";
import type { Schema } from "./json.ts";
import { messageSchema, type SchemaContext } from "./message-schema.ts";
import { mapKeySchema, scalarSchema } from "./scalar.ts";

/** Schema of the field's value, with comment and rules. */
export function fieldSchema(field: DescField, direction: Direction, context: SchemaContext): Schema {
  const rules = direction === "request" ? fieldRules(field) : undefined;
  const plain = shape(field, direction, context, rules);
  const { schema, notes } = rules ? constrain(plain, rules, field) : { schema: plain, notes: [] };
  const behaviour = behaviourOf(context.registry, field);
  return {
    ...schema,
    ...(direction === "request" ? hidden(field, schema, context) : {}),
    description: paragraphs(commentOf(field), ...notes, ownNote(schema, field)),
    deprecated: field.deprecated || undefined,
    readOnly: behaviour.outputOnly || undefined,
    writeOnly: behaviour.inputOnly || undefined,
  };
}

function shape(
  field: DescField,
  direction: Direction,
  context: SchemaContext,
  rules: FieldRules | undefined,
): Schema {
  switch (field.fieldKind) {
    case "scalar":
      return scalarSchema(field.scalar);
    case "enum":
      return enumSchema(field.enum, context.book);
    case "message":
      return messageSchema(field.message, direction, context);
    case "list":
      return { type: "array", items: element(field, direction, context, rules) };
    case "map":
      return mapShape(field, direction, context, rules);
  }
}

function mapShape(
  field: DescField & { fieldKind: "map" },
  direction: Direction,
  context: SchemaContext,
  rules: FieldRules | undefined,
): Schema {
  const keys = mapKeySchema(field.mapKey);
  const { schema: names } =
    rules?.type.case === "map" && rules.type.value.keys && field.mapKey === ScalarType.STRING
      ? constrain({ type: "string" }, rules.type.value.keys, undefined)
      : { schema: keys };
  return {
    type: "object",
    propertyNames: Object.keys(names).length > 0 ? names : undefined,
    additionalProperties: element(field, direction, context, rules),
  };
}

/** Schema of a list's items or a map's values. */
function element(
  field: DescField & { fieldKind: "list" | "map" },
  direction: Direction,
  context: SchemaContext,
  rules: FieldRules | undefined,
): Schema {
  const plain = field.message
    ? messageSchema(field.message, direction, context)
    : field.enum
      ? enumSchema(field.enum, context.book)
      : scalarSchema(field.scalar as ScalarType);
  const inner =
    rules?.type.case === "repeated"
      ? rules.type.value.items
      : rules?.type.case === "map"
        ? rules.type.value.values
        : undefined;
  if (!inner) return plain;
  const { schema, notes } = constrain(plain, inner, field);
  return { ...schema, description: paragraphs(...notes) };
}

/** A page should not show what must not be logged. A string has one format, so a stricter one stays. */
function hidden(field: DescField, schema: Schema, context: SchemaContext): Schema {
  const plainText = field.fieldKind === "scalar" && field.scalar === ScalarType.STRING && !schema.format;
  return plainText && context.isSensitive(field) ? { format: "password" } : {};
}

function ownNote(schema: Schema, field: DescField): string | undefined {
  if (schema.$ref || !field.message || field.fieldKind !== "message") return undefined;
  if (field.message.typeName === "google.protobuf.Duration") return 'In seconds, such as "1.5s".';
  if (field.message.typeName === "google.protobuf.FieldMask")
    return "Paths in lowerCamelCase, separated by commas.";
  return undefined;
}
