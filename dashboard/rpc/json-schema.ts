/** JSON Schema (2020-12) of a message's proto JSON: the same schemas as in the OpenAPI document, on their own. */
import type { DescField, DescMessage, FileRegistry, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { FieldPolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Direction } from "../../mesh/codegen/openapi/schema/direction.ts";
import { messageSchema } from "../../mesh/codegen/openapi/schema/message-schema.ts";
import { SchemaBook } from "../../mesh/codegen/openapi/schema/schema-book.ts";
import { readOption } from "../../mesh/codegen/read-option.ts";

const inDocument = "#/components/schemas/";

export function jsonSchemaOf(desc: DescMessage, direction: Direction, registry: FileRegistry): JsonObject {
  const isSensitive = (field: DescField) =>
    readOption<FieldPolicy>(registry, field, "weft.policy.v1.field")?.sensitive === true;
  // The second book knows from the first which messages go both ways, and so how they are called.
  const draft = new SchemaBook();
  messageSchema(desc, direction, { book: draft, registry, isSensitive });
  const book = new SchemaBook(draft);
  const schema = messageSchema(desc, direction, { book, registry, isSensitive });
  const document = { ...schema, $defs: book.schemas() };
  return moveReferences(JSON.parse(JSON.stringify(document)) as JsonValue) as JsonObject;
}

function moveReferences(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(moveReferences);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === "$ref" && typeof inner === "string"
        ? inner.replace(inDocument, "#/$defs/")
        : moveReferences(inner),
    ]),
  );
}
