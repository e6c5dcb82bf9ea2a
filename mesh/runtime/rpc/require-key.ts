import { Code, type Interceptor } from "@connectrpc/connect";
import { idempotencyKeyKey } from "../identity/principal.ts";
import { policyOf } from "../policy/method-policy.ts";
import { ServiceError } from "./errors.ts";

/**
 * Hands the header Idempotency-Key to the handler, and refuses a call without one where the contract
 * asks for it. 1 to 255 visible ASCII characters (draft-ietf-httpapi-idempotency-key-header).
 */
export function requireKey(): Interceptor {
  return (next) => (request) => {
    if (policyOf(request.method).idempotencyKeyRequired) {
      const key = request.header.get("idempotency-key") ?? "";
      if (key === "") {
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
      request.contextValues.set(idempotencyKeyKey, key);
    }
    return next(request);
  };
}
