/**
 * What happens to every call at the edge before its body is read, whatever protocol it came in. The
 * contract's policy decides; services check again, so nothing here is their only lock.
 */
import { hasOption } from "@bufbuild/protobuf";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import type { VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import type { LoadShedder } from "#mesh/runtime/policy/load-shedder.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { noTracer, type Tracer } from "#mesh/runtime/telemetry/tracer.ts";
import type { Admission, Admit, IncomingCall } from "../transcode/admission.ts";
import { dropReservedHeaders, identifyRequest, nameClient } from "./call-headers.ts";
import { checkToken } from "./check-token.ts";
import { requireExposed, requireKey } from "./contract-checks.ts";
import { limitAddress, limitUser } from "./limit-rate.ts";
import type { Passage, Step } from "./passage.ts";
import type { RateLimits } from "./rate-limits.ts";
import { refusal } from "./refusal.ts";
import { shedLoad } from "./shed-load.ts";

/** The list for a mesh: the edge is one of its workloads and knows users' tokens. The first step that throws ends the call. */
export function meshSteps(parts: {
  /** The edge's own name in the mesh. */
  name: string;
  verifyUser: VerifyUser;
  limits: RateLimits;
  shedder: LoadShedder | undefined;
  tracer: Tracer;
}): Step[] {
  const { name, verifyUser, limits, shedder, tracer } = parts;
  return [
    // First, so that nothing a stranger sends can pass for the mesh's own.
    dropReservedHeaders,
    // Likewise: upstreams hear the address that the edge believes in, not the one that was claimed.
    nameClient,
    // Before any refusal: the refusal carries the id, too.
    identifyRequest(tracer, "ids only"),
    // Before anything that costs: under too much load refusing must be the cheapest thing to do.
    shedLoad(shedder),
    // The method must be open to the outside at all before anybody is asked who they are.
    requireExposed(name),
    // Before the token: checking signatures is what a flood would have us do.
    limitAddress(limits),
    // Who is asking, and may they.
    checkToken(verifyUser),
    // Now it is known whose share this takes.
    limitUser(limits),
    // Last: costs nothing upstream when it is missing.
    requireKey,
  ];
}

/** The list for servers outside of any mesh, which know their users and callers by themselves. */
export function plainSteps(parts: {
  limits: RateLimits;
  shedder: LoadShedder | undefined;
  tracer?: Tracer;
}): Step[] {
  return [
    // Upstreams hear the address that the edge believes in, not the one that was claimed.
    nameClient,
    // Before any refusal: the refusal carries the id, too.
    identifyRequest(parts.tracer ?? noTracer, "sampled flag"),
    // Before anything that costs: under too much load refusing must be the cheapest thing to do.
    shedLoad(parts.shedder),
    // Last: what is refused above takes nobody's share.
    limitAddress(parts.limits),
  ];
}

/** Runs the steps; without a promise where nothing has to be waited for, which is nearly always. */
export function admitCalls(steps: readonly Step[]): Admit {
  return (call) => {
    const passage: Passage = {
      call,
      policy: hasOption(call.method.parent, serviceOption) ? policyOf(call.method) : undefined,
      responseHeaders: {},
      principal: undefined,
    };
    try {
      const waiting = run(steps, 0, passage);
      if (!waiting) return admitted(passage);
      return waiting.then(
        () => admitted(passage),
        (error) => {
          throw refused(passage, error);
        },
      );
    } catch (error) {
      throw refused(passage, error);
    }
  };
}

function run(steps: readonly Step[], from: number, passage: Passage): Promise<void> | undefined {
  for (let index = from; index < steps.length; index++) {
    const waiting = steps[index]!(passage);
    if (waiting) return waiting.then(() => run(steps, index + 1, passage));
  }
  return undefined;
}

function admitted({ policy, responseHeaders }: Passage): Admission {
  return { timeoutMs: policy?.timeoutMs, maxRequestBytes: policy?.maxRequestBytes, responseHeaders };
}

function refused({ call, responseHeaders }: Passage, error: unknown): unknown {
  return refusal(error, packageOf(call), responseHeaders);
}

const packageOf = ({ method }: IncomingCall): string => method.parent.file.proto.package;
