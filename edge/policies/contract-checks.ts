/** Checks of the contract that need nothing but the call; services make them again. */
import { checkCaller } from "#mesh/runtime/policy/access.ts";
import { checkIdempotencyKey } from "#mesh/runtime/rpc/require-key.ts";
import { headerOf, type Passage, type Step } from "./passage.ts";

/** Refuses methods that the contract does not open to `edge`, the edge's own name in the mesh. */
export function requireExposed(edge: string): Step {
  return ({ call, policy }) => {
    if (policy) checkCaller(call.method, edge);
  };
}

/** Refuses a call without a usable Idempotency-Key where the contract asks for one. */
export function requireKey({ call, policy }: Passage): void {
  if (policy) checkIdempotencyKey(call.method, headerOf(call, "idempotency-key"));
}
