import type { OutgoingHttpHeaders } from "node:http2";
import type { Principal } from "#mesh/runtime/identity/principal.ts";
import type { ResolvedPolicy } from "#mesh/runtime/policy/method-policy.ts";
import type { IncomingCall } from "../transcode/admission.ts";

/** A call on its way through the steps of admission, with what they have found out. */
export interface Passage {
  readonly call: IncomingCall;
  /** Undefined for a method whose contract says nothing, such as the edge's own reflection. */
  readonly policy: ResolvedPolicy | undefined;
  /** Go out with the answer, whether it is a refusal or not. */
  readonly responseHeaders: OutgoingHttpHeaders;
  /** The signed-in user, once known. */
  principal: Principal | undefined;
}

/** One step; refuses by throwing a ServiceError or StatusError. A promise only where something must be waited for. */
export type Step = (passage: Passage) => void | Promise<void>;

/** A request header's value; the first where there are several. */
export function headerOf({ headers }: IncomingCall, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
