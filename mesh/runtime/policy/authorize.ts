import type { Interceptor } from "@connectrpc/connect";
import { callerKey, principalKey } from "../identity/principal.ts";
import { workloadHeader } from "../identity/workload.ts";
import { overStream } from "../rpc/over-stream.ts";
import type { ServerIdentity } from "../rpc/server-interceptors.ts";
import { checkCaller, checkReplyOwner, checkRequestOwner, checkUser } from "./access.ts";
import { policyOf } from "./method-policy.ts";

/** Establishes who calls and on whose behalf, and refuses whom the contract does not admit. */
export function authorize({ workload, verifyUser, directCalls, log }: ServerIdentity): Interceptor {
  return (next) => async (request) => {
    const { method } = request;
    const assertion = request.header.get(workloadHeader);
    const caller = assertion ? await workload.verify(assertion) : directCalls ? "edge" : undefined;
    try {
      checkCaller(method, caller);
    } catch (error) {
      log.warn({ caller, rpc: `${request.service.typeName}/${method.name}` }, "caller refused");
      throw error;
    }
    request.contextValues.set(callerKey, caller);

    const authorization = request.header.get("authorization");
    const { access } = policyOf(method);
    const usesToken = access?.case !== "public" && access?.case !== "serviceOnly";
    const principal = authorization && usesToken ? await verifyUser(authorization) : undefined;
    checkUser(method, principal);
    request.contextValues.set(principalKey, principal);

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
