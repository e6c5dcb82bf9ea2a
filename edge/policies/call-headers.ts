/** What calls carry through the edge besides what their clients sent. */
import { identityHeaders } from "#mesh/runtime/identity/identify-caller.ts";
import { traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import type { Tracer } from "#mesh/runtime/telemetry/tracer.ts";
import { rememberTrace } from "./observe-calls.ts";
import { headerOf, type Passage, type Step } from "./passage.ts";

const reserved: ReadonlySet<string> = new Set(Object.values(identityHeaders));

/** Removes headers that only the mesh itself may set. */
export function dropReservedHeaders({ call: { metadata } }: Passage): void {
  for (const name in metadata) {
    if (name.startsWith("x-weft-") || reserved.has(name)) delete metadata[name];
  }
}

/** Replaces whatever was said of the client's address by what the edge found (see client-address.ts). */
export function nameClient({ call: { metadata, peer } }: Passage): void {
  for (const name in metadata) {
    if (name.startsWith("x-forwarded-") || name === "forwarded" || name === "x-real-ip")
      delete metadata[name];
  }
  if (peer !== undefined) metadata["x-forwarded-for"] = peer;
}

/**
 * Gives the call its request id and trace, both ways.
 * @param trust "ids only" where clients are strangers: whether to record a trace is not theirs to say
 */
export function identifyRequest(tracer: Tracer, trust: "sampled flag" | "ids only"): Step {
  return ({ call, responseHeaders }) => {
    const ids = { requestId: call.requestId, traceparent: headerOf(call, "traceparent") };
    const context = tracer.open(ids, undefined, trust);
    call.metadata["x-request-id"] = context.requestId;
    call.metadata.traceparent = traceparentOf(context);
    responseHeaders["x-request-id"] = context.requestId;
    rememberTrace(call.metadata, context);
  };
}
