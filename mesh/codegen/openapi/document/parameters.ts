/** Path, query and header parameters. */
import { jsonPath } from "../contract/field-path.ts";
import type { FieldPath, Operation, PathParameter } from "../contract/model.ts";
import { exampleOfField } from "../example/example-of-field.ts";
import { ruledExample } from "../example/ruled-example.ts";
import { wellKnownExample } from "../example/well-known-example.ts";
import { fieldRules } from "../rules/read-rules.ts";
import { requiredFields } from "../rules/required-fields.ts";
import { paragraphs } from "../schema/comments.ts";
import { fieldSchema } from "../schema/field-schema.ts";
import type { Json, JsonObject, Schema } from "../schema/json.ts";
import type { SchemaContext } from "../schema/message-schema.ts";

export function emitParameters(operation: Operation, context: SchemaContext): JsonObject[] {
  return [
    ...operation.path.parameters.map((parameter) => pathParameter(parameter, context)),
    ...operation.query.map((path) => queryParameter(path, operation, context)),
    ...(operation.policy.idempotencyKeyRequired ? [idempotencyKey] : []),
  ];
}

/** The server takes 1 to 255 visible ASCII characters (draft-ietf-httpapi-idempotency-key-header). */
const idempotencyKey: JsonObject = {
  name: "Idempotency-Key",
  in: "header",
  required: true,
  description:
    "A value that the client makes for each new request, and repeats when it repeats the request: the first outcome is then given again. The same key with another request is refused with 422.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
  example: "01890a5d-ac96-774b-bcce-b302099a8057",
};

function pathParameter(
  { name, field, partOf, manySegments }: PathParameter,
  context: SchemaContext,
): JsonObject {
  const { description, ...schema } = field
    ? valueSchema(field, context)
    : { type: "string", minLength: 1, description: undefined };
  return {
    name,
    in: "path",
    required: true,
    description: paragraphs(
      description as string | undefined,
      partOf ? `A part of \`${partOf}\`.` : undefined,
      manySegments ? 'May be several segments: "/" in it stays as it is.' : undefined,
    ),
    schema,
    example: field ? exampleOf(field) : name,
  };
}

function queryParameter(path: FieldPath, operation: Operation, context: SchemaContext): JsonObject {
  const { description, deprecated, ...schema } = valueSchema(path, context);
  const required = isRequired(path, operation, context);
  const rules = fieldRules(last(path));
  return {
    name: jsonPath(path),
    in: "query",
    required: required || undefined,
    description: paragraphs(description as string | undefined, exclusion(path)),
    deprecated,
    schema,
    // Examples fill in forms: an optional parameter is better left empty.
    example:
      required || (rules?.type.value && "example" in rules.type.value && rules.type.value.example.length > 0)
        ? exampleOf(path)
        : undefined,
  };
}

/** Without what belongs to the parameter, not to its value. */
function valueSchema(path: FieldPath, context: SchemaContext): Schema {
  return fieldSchema(last(path), "request", context);
}

function exampleOf(path: FieldPath): Json | undefined {
  const field = last(path);
  return (
    ruledExample(fieldRules(field)) ?? exampleOfField(field, (message) => wellKnownExample(message) ?? {})
  );
}

/** A leaf is needed where everything on the way to it is. */
function isRequired(path: FieldPath, { method }: Operation, { registry }: SchemaContext): boolean {
  return path.every((field, i) => requiredFields(path[i - 1]?.message ?? method.input, registry).has(field));
}

function exclusion(path: FieldPath): string | undefined {
  const oneof = path.map((field) => field.oneof).find((each) => each !== undefined);
  if (!oneof || oneof.fields.length < 2) return undefined;
  return `At most one of ${oneof.fields.map(({ jsonName }) => `\`${jsonName}\``).join(", ")}.`;
}

function last(path: FieldPath) {
  return path[path.length - 1] ?? path[0];
}
