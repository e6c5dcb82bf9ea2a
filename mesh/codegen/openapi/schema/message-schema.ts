/** A message in ProtoJSON. */
import type { DescField, DescMessage, Registry } from "@bufbuild/protobuf";
import { behaviourOf } from "../contract/field-behaviour.ts";
import type { FieldPath } from "../contract/model.ts";
import { messageNotes } from "../rules/message-notes.ts";
import { oneofRules } from "../rules/oneof-rules.ts";
import { requiredFields } from "../rules/required-fields.ts";
import { anySchema } from "./any.ts";
import { commentOf, paragraphs } from "./comments.ts";
import type { Direction } from "./direction.ts";
import { fieldSchema } from "./field-schema.ts";
import type { Schema } from "./json.ts";
import type { SchemaBook } from "./schema-book.ts";
import { wellKnownSchema } from "./well-known.ts";

/** What schemas are made with. */
export interface SchemaContext {
  readonly book: SchemaBook;
  readonly registry: Registry;
  /** Whether the contract marks a field as one that must not be logged. */
  isSensitive(field: DescField): boolean;
}

/** Schema of a message: a reference, or the form of a well-known type itself. */
export function messageSchema(desc: DescMessage, direction: Direction, context: SchemaContext): Schema {
  const known = wellKnownSchema(desc);
  if (known) return known;
  if (desc.typeName === "google.protobuf.Any") return context.book.shared(desc, () => anySchema);
  return context.book.message(desc, direction, () => objectSchema(desc, direction, context, []));
}

/**
 * Schema of a message without some of its fields, which stand elsewhere in the request.
 * @param without paths from `desc`; empty for the message as it is
 */
export function messageSchemaWithout(
  desc: DescMessage,
  without: readonly FieldPath[],
  direction: Direction,
  context: SchemaContext,
): Schema {
  return without.length > 0
    ? objectSchema(desc, direction, context, without)
    : messageSchema(desc, direction, context);
}

function objectSchema(
  desc: DescMessage,
  direction: Direction,
  context: SchemaContext,
  without: readonly FieldPath[],
): Schema {
  const gone = new Set(without.filter((path) => path.length === 1).map(([field]) => field));
  const fields = desc.fields.filter((field) => !gone.has(field));
  const required = direction === "request" ? requiredHere(desc, fields, context) : [];
  return {
    type: "object",
    title: without.length > 0 ? undefined : desc.name,
    description: paragraphs(commentOf(desc), ...(direction === "request" ? messageNotes(desc) : [])),
    properties: Object.fromEntries(
      fields.map((field) => [field.jsonName, property(field, direction, context, without)]),
    ),
    required: required.length > 0 ? required : undefined,
    additionalProperties: direction === "request" ? false : undefined,
    ...oneofRules(desc, fields, direction),
    deprecated: desc.deprecated || undefined,
  };
}

function property(
  field: DescField,
  direction: Direction,
  context: SchemaContext,
  without: readonly FieldPath[],
): Schema {
  const inside = without
    .filter(([first, second]) => first === field && second)
    .map((path) => path.slice(1) as unknown as FieldPath);
  if (inside.length === 0 || field.fieldKind !== "message") return fieldSchema(field, direction, context);
  return {
    ...messageSchemaWithout(field.message, inside, direction, context),
    description: paragraphs(commentOf(field)),
  };
}

function requiredHere(
  desc: DescMessage,
  fields: readonly DescField[],
  { registry }: SchemaContext,
): string[] {
  const refused = requiredFields(desc, registry);
  return fields
    .filter(
      (field) =>
        (refused.has(field) || behaviourOf(registry, field).required) &&
        !behaviourOf(registry, field).outputOnly,
    )
    .map((field) => field.jsonName);
}
