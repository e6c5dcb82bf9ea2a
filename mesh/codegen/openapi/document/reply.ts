/** The reply of a successful call. */
import type { DescMessage } from "@bufbuild/protobuf";
import type { Operation } from "../contract/model.ts";
import { exampleOfField } from "../example/example-of-field.ts";
import { exampleOfMessage } from "../example/example-of-message.ts";
import { commentOf } from "../schema/comments.ts";
import { fieldSchema } from "../schema/field-schema.ts";
import type { Json, JsonObject, Schema } from "../schema/json.ts";
import { messageSchema, type SchemaContext } from "../schema/message-schema.ts";
import { isHttpBody } from "../schema/well-known.ts";
import { statusSchema } from "./status-schema.ts";

export function emitReply(
  operation: Operation,
  context: SchemaContext,
): { status: string; reply: JsonObject } {
  const { method, responseBody, policy } = operation;
  const streams = method.methodKind === "server_streaming";
  const status = String(streams ? 200 : policy.successStatus);
  const message = responseBody
    ? responseBody.fieldKind === "message"
      ? responseBody.message
      : undefined
    : method.output;
  const description = replyText(responseBody ? commentOf(responseBody) : ownComment(method.output));
  const headers = policy.cache
    ? { "Cache-Control": { description: "How long the reply may be kept.", schema: { type: "string" } } }
    : undefined;
  if (status === "204") return { status, reply: { description, headers } };
  const content = isHttpBody(message) ? { "*/*": { schema: {} } } : jsonContent(operation, streams, context);
  return { status, reply: { description, headers, content } };
}

/** The first paragraph: the rest is with the schema. */
function replyText(comment: string): string {
  return comment.split("\n\n", 1)[0] || "Success.";
}

/** Well-known types have comments about the type, not about this reply. */
function ownComment(message: DescMessage): string {
  return message.typeName.startsWith("google.") ? "" : commentOf(message);
}

function jsonContent(operation: Operation, streams: boolean, context: SchemaContext): JsonObject {
  const schema = replySchema(operation, context);
  const example = replyExample(operation, context);
  if (!streams) return { "application/json": { schema, example } };
  const failure = {
    type: "object",
    title: "Failure",
    description: "Last line of a stream that failed.",
    properties: { error: statusSchema(context.book) },
    required: ["error"],
  };
  return {
    "application/json": { schema: { type: "array", items: schema }, example: [example] },
    "application/x-ndjson": {
      schema: { description: "Each line is one of these.", anyOf: [schema, failure] },
      example,
    },
    "text/event-stream": {
      schema: {
        type: "string",
        description:
          "Events whose `data` is one message as JSON; an event `error`, whose `data` is a `google.rpc.Status`, when the stream failed.",
      },
      example: `data: ${JSON.stringify(example)}\n\n`,
    },
  };
}

function replySchema({ method, responseBody }: Operation, context: SchemaContext): Schema {
  if (!responseBody) return messageSchema(method.output, "reply", context);
  const schema = fieldSchema(responseBody, "reply", context);
  // A message that is not there is null: an empty body would be no JSON.
  return responseBody.fieldKind === "message" ? { anyOf: [schema, { type: "null" }] } : schema;
}

function replyExample({ method, responseBody }: Operation, { registry }: SchemaContext): Json {
  if (!responseBody) return exampleOfMessage(method.output, "reply", registry);
  return exampleOfField(responseBody, (message) => exampleOfMessage(message, "reply", registry)) ?? {};
}
