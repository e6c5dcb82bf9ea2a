/**
 * What happens to every call at the edge before its body is read, whatever protocol it came in. The
 * contract's policy decides; services check again, so nothing here is their only lock.
 */
import type { OutgoingHttpHeaders } from "node:http2";
import { hasOption } from "@bufbuild/protobuf";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import type { VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import { type Workload, workloadHeader } from "#mesh/runtime/identity/workload.ts";
import { checkCaller, checkUser } from "#mesh/runtime/policy/access.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { checkIdempotencyKey } from "#mesh/runtime/rpc/require-key.ts";
import { contextFromHeaders, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import type { Admission, Admit, IncomingCall } from "../transcode/admission.ts";
import { refusal } from "./refusal.ts";

/** Headers that only the mesh itself may set; removed from what comes in. */
const reserved = /^(x-weft-|x-forwarded-client-cert$)/;

/** Steps in their order. The first that throws ends the call. */
export function admitCalls(parts: { workload: Workload; verifyUser: VerifyUser }): Admit {
  return async (call) => {
    try {
      // First, so that nothing a stranger sends can pass for the mesh's own.
      removeReserved(call.metadata);
      // Before any refusal: the refusal carries the id, too.
      const responseHeaders = identifyRequest(call);
      // Reflection and health are the edge's own: they tell no more than what is open to all.
      if (!hasOption(call.method.parent, serviceOption)) return { responseHeaders };
      // The method must be open to the outside at all before anybody is asked who they are.
      checkCaller(call.method, parts.workload.name);
      await checkToken(call, parts.verifyUser);
      // Costs nothing upstream when it is missing.
      checkIdempotencyKey(call.method, headerOf(call, "idempotency-key"));
      // Last: the proof is made for a call that really leaves.
      call.metadata[workloadHeader] = await parts.workload.assertionFor(policyOf(call.method).service);
      return { timeoutMs: policyOf(call.method).timeoutMs, responseHeaders } satisfies Admission;
    } catch (error) {
      throw refusal(error, call.method.parent.file.proto.package, { "x-request-id": call.requestId });
    }
  };
}

function removeReserved(metadata: OutgoingHttpHeaders): void {
  for (const name of Object.keys(metadata)) if (reserved.test(name)) delete metadata[name];
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

async function checkToken(call: IncomingCall, verifyUser: VerifyUser): Promise<void> {
  const { access } = policyOf(call.method);
  const usesToken = access?.case !== "public";
  const authorization = headerOf(call, "authorization");
  const principal = usesToken && authorization !== undefined ? await verifyUser(authorization) : undefined;
  checkUser(call.method, principal);
}

function headerOf(call: IncomingCall, name: string): string | undefined {
  const value = call.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
