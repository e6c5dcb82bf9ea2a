import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type Interceptor } from "@connectrpc/connect";
import { idempotencyKeyKey } from "../identity/principal.ts";
import { policyOf } from "../policy/method-policy.ts";
import { ServiceError } from "./errors.ts";

/** Hands the header Idempotency-Key to the handler, and refuses a call without one where the contract asks for it. */
export function requireKey(): Interceptor {
  return (next) => (request) => {
    const key = checkIdempotencyKey(request.method, request.header.get("idempotency-key") ?? undefined);
    request.contextValues.set(idempotencyKeyKey, key);
    return next(request);
  };
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
