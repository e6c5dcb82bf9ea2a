/** Who is calling: a user, a workload, or both. Set by the server's interceptors, read by handlers. */
import { Code, type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { ServiceError } from "../rpc/errors.ts";

/** A user with a valid access token. */
export interface Principal {
  /** Token claim `sub`. */
  readonly id: string;
  readonly roles: readonly string[];
  /** Token claim `client_id`: the program that the user signed in with. */
  readonly clientId?: string;
}

/** The signed-in user; undefined without a token. */
export const principalKey = createContextKey<Principal | undefined>(undefined, { description: "principal" });

/** Name of the calling service; undefined for callers without a workload identity. */
export const callerKey = createContextKey<string | undefined>(undefined, { description: "caller" });

/** Value of the header Idempotency-Key; undefined without one. */
export const idempotencyKeyKey = createContextKey<string | undefined>(undefined, {
  description: "idempotency key",
});

/** Set by answerOnce (idempotency/answer-once.ts), so that a handler without it is found out. */
export const answeredOnceKey = createContextKey(false, { description: "answered once" });

/**
 * The signed-in user.
 * @throws ServiceError UNAUTHENTICATED without one
 */
export function requirePrincipal(context: { values: ContextValues } | HandlerContext): Principal {
  const principal = context.values.get(principalKey);
  if (!principal)
    throw new ServiceError(Code.Unauthenticated, "TOKEN_MISSING", "an access token is required");
  return principal;
}
