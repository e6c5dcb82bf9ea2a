/**
 * What happens to every call at the edge before its body is read, whatever protocol it came in. The
 * contract's policy decides; services check again, so nothing here is their only lock.
 */
import type { OutgoingHttpHeaders } from "node:http2";
import { hasOption } from "@bufbuild/protobuf";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Principal } from "#mesh/runtime/identity/principal.ts";
import type { VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import { type Workload, workloadHeader } from "#mesh/runtime/identity/workload.ts";
import { checkCaller, checkUser } from "#mesh/runtime/policy/access.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { checkIdempotencyKey } from "#mesh/runtime/rpc/require-key.ts";
import { contextFromHeaders, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import type { Admission, Admit, IncomingCall } from "../transcode/admission.ts";
import { refusal } from "./refusal.ts";

interface Parts {
  readonly workload: Workload;
  readonly verifyUser: VerifyUser;
}

/** Decides by the contract's policy; without a promise where nothing has to be waited for, which is nearly always. */
export function admitCalls(parts: Parts): Admit {
  return (call) => {
    const refuse = (error: unknown): never => {
      throw refusal(error, call.method.parent.file.proto.package, { "x-request-id": call.requestId });
    };
    try {
      const admission = admit(call, parts);
      return admission instanceof Promise ? admission.catch(refuse) : admission;
    } catch (error) {
      return refuse(error);
    }
  };
}

/** Steps in their order. The first that throws ends the call. */
function admit(call: IncomingCall, { workload, verifyUser }: Parts): Admission | Promise<Admission> {
  // First, so that nothing a stranger sends can pass for the mesh's own.
  removeReserved(call.metadata);
  // Before any refusal: the refusal carries the id, too.
  const responseHeaders = identifyRequest(call);
  // Reflection and health are the edge's own: they tell no more than what is open to all.
  if (!hasOption(call.method.parent, serviceOption)) return { responseHeaders };
  const policy = policyOf(call.method);
  // The method must be open to the outside at all before anybody is asked who they are.
  checkCaller(call.method, workload.name);
  return then(principalOf(call, verifyUser), (principal) => {
    checkUser(call.method, principal);
    // Costs nothing upstream when it is missing.
    checkIdempotencyKey(call.method, headerOf(call, "idempotency-key"));
    // Last: the proof is made for a call that really leaves.
    return then(workload.assertionFor(policy.service), (assertion) => {
      call.metadata[workloadHeader] = assertion;
      return { timeoutMs: policy.timeoutMs, responseHeaders };
    });
  });
}

/** Goes on with a value: at once where it is there, and not a turn later as `await` would. */
function then<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Removes headers that only the mesh itself may set. */
function removeReserved(metadata: OutgoingHttpHeaders): void {
  for (const name in metadata) {
    if (name.startsWith("x-weft-") || name === "x-forwarded-client-cert") delete metadata[name];
  }
}

/** Gives the call its request id and trace, both ways. */
function identifyRequest(call: IncomingCall): OutgoingHttpHeaders {
  const context = contextFromHeaders({
    requestId: call.requestId,
    traceparent: headerOf(call, "traceparent"),
  });
  call.metadata["x-request-id"] = context.requestId;
  call.metadata.traceparent = traceparentOf(context);
  return { "x-request-id": context.requestId };
}

function principalOf(
  call: IncomingCall,
  verifyUser: VerifyUser,
): Principal | undefined | Promise<Principal | undefined> {
  const { access } = policyOf(call.method);
  const authorization = headerOf(call, "authorization");
  return access?.case !== "public" && authorization !== undefined ? verifyUser(authorization) : undefined;
}

function headerOf(call: IncomingCall, name: string): string | undefined {
  const value = call.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
