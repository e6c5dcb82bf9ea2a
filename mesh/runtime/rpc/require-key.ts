import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, type Interceptor } from "@connectrpc/connect";
import { answeredOnceKey, idempotencyKeyKey } from "../identity/principal.ts";
import { policyOf } from "../policy/method-policy.ts";
import { ServiceError } from "./errors.ts";

/**
 * Hands the header Idempotency-Key to the handler, and refuses a call without one where the contract asks for it.
 * A handler that makes no use of it is an error, so that no contract promises what its service does not hold.
 */
export function requireKey(): Interceptor {
  return (next) => {
    const withKey: typeof next = async (request) => {
      const { method, contextValues } = request;
      const key = checkIdempotencyKey(method, request.header.get("idempotency-key") ?? undefined);
      contextValues.set(idempotencyKeyKey, key);
      const reply = await next(request);
      if (!contextValues.get(answeredOnceKey))
        throw new Error(`the handler of ${method.parent.typeName}/${method.name} is not made by answerOnce`);
      return reply;
    };
    return (request) => (policyOf(request.method).idempotencyKeyRequired ? withKey : next)(request);
  };
}

/**
 * Methods of a service that require a key.
 * @throws Error for one that is a stream, or open to callers whose keys nobody could tell apart
 */
export function keyedMethods(contract: DescService): DescMethod[] {
  const methods = contract.methods.filter((method) => policyOf(method).idempotencyKeyRequired);
  for (const method of methods) {
    const route = `${method.parent.typeName}/${method.name}`;
    if (method.methodKind !== "unary") throw new Error(`${route}: a stream cannot have an Idempotency-Key`);
    if (policyOf(method).access?.case === "public")
      throw new Error(`${route}: a public method cannot have an Idempotency-Key, since keys belong to users`);
  }
  return methods;
}

/**
 * The key of a call to a method that wants one; undefined for other methods.
 * 1 to 255 visible ASCII characters (draft-ietf-httpapi-idempotency-key-header).
 *
 * @throws ServiceError INVALID_ARGUMENT when it is missing or malformed
 */
export function checkIdempotencyKey(method: DescMethod, key: string | undefined): string | undefined {
  if (!policyOf(method).idempotencyKeyRequired) return undefined;
  if (!key) {
    throw new ServiceError(
      Code.InvalidArgument,
      "IDEMPOTENCY_KEY_MISSING",
      "header Idempotency-Key is required",
      {
        fields: [{ field: "Idempotency-Key", description: "send a unique value with each new request" }],
      },
    );
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ServiceError(
      Code.InvalidArgument,
      "IDEMPOTENCY_KEY_INVALID",
      "header Idempotency-Key is malformed",
      {
        fields: [{ field: "Idempotency-Key", description: "1 to 255 visible ASCII characters" }],
      },
    );
  }
  return key;
}
