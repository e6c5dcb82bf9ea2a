import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { admittedByMesh } from "../identity/identify-caller.ts";
import { callerKey, type Principal, principalKey } from "../identity/principal.ts";
import { ServiceError } from "../rpc/errors.ts";
import { overStream } from "../rpc/over-stream.ts";
import type { ServerIdentity } from "../rpc/server-interceptors.ts";
import type { Logger } from "../telemetry/log.ts";
import { checkCaller, checkReplyOwner, checkRequestOwner, checkUser } from "./access.ts";
import { policyOf } from "./method-policy.ts";

/**
 * Establishes who calls and on whose behalf, and refuses whom the contract does not admit. Every refusal of a
 * caller is in the log, with the method; so is every refusal of a user, and neither with what was shown.
 */
export function authorize({ identifyCaller, verifyUser, directCalls, log }: ServerIdentity): Interceptor {
  return (next) => async (request) => {
    const { method, contextValues } = request;
    let caller: string | undefined;
    let principal: Principal | undefined;
    try {
      const found = identifyCaller(request) ?? (directCalls ? "edge" : undefined);
      caller = found === admittedByMesh ? undefined : found;
      if (found !== admittedByMesh) checkCaller(method, caller);
      contextValues.set(callerKey, caller);

      const authorization = request.header.get("authorization");
      const { access } = policyOf(method);
      const usesToken = access?.case !== "public" && access?.case !== "serviceOnly";
      const verified = authorization && usesToken ? verifyUser(authorization) : undefined;
      // Nearly always known from a call before.
      principal = verified instanceof Promise ? await verified : verified;
      checkUser(method, principal);
      contextValues.set(principalKey, principal);
    } catch (error) {
      logRefusal(log, method, caller, principal, error);
      throw error;
    }

    if (!request.stream) checkRequestOwner(method, request.message, principal);
    const reply = await next(
      request.stream
        ? {
            ...request,
            message: overStream(request.message, {
              each: (message) => checkRequestOwner(method, message, principal),
            }),
          }
        : request,
    );
    if (!reply.stream) {
      checkReplyOwner(method, reply.message, principal);
      return reply;
    }
    return {
      ...reply,
      message: overStream(reply.message, { each: (message) => checkReplyOwner(method, message, principal) }),
    };
  };
}

function logRefusal(
  log: Logger,
  method: DescMethod,
  caller: string | undefined,
  principal: Principal | undefined,
  error: unknown,
): void {
  if (!(error instanceof ServiceError)) return;
  const { reason, cause } = error;
  const problem = cause instanceof Error ? cause.message : undefined;
  const rpc = `${method.parent.typeName}/${method.name}`;
  log.warn({ caller, user: principal?.id, rpc, reason, problem }, "refused");
}
