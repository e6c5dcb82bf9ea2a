/** What calls carry through the edge besides what their clients sent. */
import { contextFromHeaders, traceparentOf } from "#mesh/runtime/telemetry/context.ts";
import { headerOf, type Passage } from "./passage.ts";

/** Removes headers that only the mesh itself may set. */
export function dropReservedHeaders({ call: { metadata } }: Passage): void {
  for (const name in metadata) {
    if (name.startsWith("x-weft-") || name === "x-forwarded-client-cert") delete metadata[name];
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

/** Gives the call its request id and trace, both ways. */
export function identifyRequest({ call, responseHeaders }: Passage): void {
  const context = contextFromHeaders({
    requestId: call.requestId,
    traceparent: headerOf(call, "traceparent"),
  });
  call.metadata["x-request-id"] = context.requestId;
  call.metadata.traceparent = traceparentOf(context);
  responseHeaders["x-request-id"] = context.requestId;
}
