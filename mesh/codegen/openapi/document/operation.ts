import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Operation } from "../contract/model.ts";
import { commentOf, paragraphs } from "../schema/comments.ts";
import type { JsonObject } from "../schema/json.ts";
import type { SchemaContext } from "../schema/message-schema.ts";
import { accessText, rateLimitText } from "./access-text.ts";
import { emitParameters } from "./parameters.ts";
import type { Refusals } from "./refusals.ts";
import { emitReply } from "./reply.ts";
import { emitRequestBody } from "./request-body.ts";
import { securityOf } from "./security.ts";
import { headingOf } from "./words.ts";

/** An operation object. Its gRPC method is named by the extension `x-grpc-method`. */
export function emitOperation(operation: Operation, context: SchemaContext, refusals: Refusals): JsonObject {
  const { method, policy } = operation;
  const parameters = emitParameters(operation, context);
  const { status, reply } = emitReply(operation, context);
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: headingOf(method.name),
    description: paragraphs(
      commentOf(method),
      accessText(policy.access),
      rateLimitText(policy),
      idempotencyText(operation),
    ),
    deprecated: method.deprecated || method.parent.deprecated || undefined,
    security: securityOf(policy.access),
    parameters: parameters.length > 0 ? parameters : undefined,
    requestBody: emitRequestBody(operation, context),
    responses: { [status]: reply, ...refusals.of(operation) },
    "x-grpc-method": `${method.parent.typeName}/${method.name}`,
  };
}

function idempotencyText({ method, verb, policy }: Operation): string | undefined {
  const idempotent = method.idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT;
  if (!idempotent || policy.idempotencyKeyRequired || verb !== "post") return undefined;
  return "Repeating the call changes nothing more.";
}
