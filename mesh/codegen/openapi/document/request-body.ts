import type { Body, Operation } from "../contract/model.ts";
import { exampleOfField } from "../example/example-of-field.ts";
import { exampleOfMessage, requestExample } from "../example/example-of-message.ts";
import { requiredFields } from "../rules/required-fields.ts";
import { paragraphs } from "../schema/comments.ts";
import { fieldSchema } from "../schema/field-schema.ts";
import type { Json, JsonObject, Schema } from "../schema/json.ts";
import { messageSchemaWithout, type SchemaContext } from "../schema/message-schema.ts";
import { isHttpBody } from "../schema/well-known.ts";

/** The request body; undefined where the rule has none. */
export function emitRequestBody(operation: Operation, context: SchemaContext): JsonObject | undefined {
  const { body, method, policy } = operation;
  if (!body) return undefined;
  const message = body.field
    ? body.field.fieldKind === "message"
      ? body.field.message
      : undefined
    : method.input;
  const streams = method.methodKind === "client_streaming";
  const limit = `At most ${policy.maxRequestBytes.toLocaleString("en")} bytes${streams ? " a message" : ""}.`;
  if (isHttpBody(message)) {
    return {
      description: paragraphs("Bytes of any media type.", limit),
      required: true,
      content: { "*/*": { schema: {} } },
    };
  }
  const schema = bodySchema(operation, body, context);
  const example = bodyExample(operation, body, context);
  return {
    description: limit,
    required: isNeeded(operation, body, context) || undefined,
    content: streams
      ? {
          "application/json": {
            schema: { type: "array", items: schema },
            example: example === undefined ? undefined : [example],
          },
          "application/x-ndjson": { schema: { ...schema, description: "One message a line." } },
        }
      : { "application/json": { schema, example } },
  };
}

function bodySchema({ method }: Operation, { field, inPath }: Body, context: SchemaContext): Schema {
  if (!field) return messageSchemaWithout(method.input, inPath, "request", context);
  if (inPath.length > 0 && field.fieldKind === "message")
    return messageSchemaWithout(field.message, inPath, "request", context);
  return fieldSchema(field, "request", context);
}

function bodyExample(
  { method }: Operation,
  { field, inPath }: Body,
  { registry }: SchemaContext,
): Json | undefined {
  if (!field) return requestExample(method.input, inPath, registry);
  if (field.fieldKind === "message") return requestExample(field.message, inPath, registry);
  return exampleOfField(field, (message) => exampleOfMessage(message, "request", registry));
}

/** No body is an empty message: it must be there when that would be refused. */
function isNeeded({ method }: Operation, { field, inPath }: Body, { registry }: SchemaContext): boolean {
  const needed = requiredFields(method.input, registry);
  if (field) return needed.has(field);
  const elsewhere = new Set(inPath.filter((path) => path.length === 1).map(([first]) => first));
  return [...needed].some((each) => !elsewhere.has(each));
}
