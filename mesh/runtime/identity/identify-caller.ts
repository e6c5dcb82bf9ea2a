/** Which workload makes a call. */
import { Code, type ContextValues } from "@connectrpc/connect";
import { ServiceError } from "../rpc/errors.ts";
import { nameInForwardedCert } from "./forwarded-client-cert.ts";
import { nameInLinkerdId } from "./linkerd-client-id.ts";
import { peerKey } from "./peer.ts";
import type { Workload } from "./workload.ts";

/** By which proxies tell who calls. Nobody else may set them: the edge removes them from what comes in. */
export const identityHeaders = { istio: "x-forwarded-client-cert", linkerd: "l5d-client-id" } as const;

const allIdentityHeaders: readonly string[] = Object.values(identityHeaders);

/** A call as far as it says who makes it. */
export interface Identifiable {
  readonly header: Headers;
  readonly contextValues: ContextValues;
}

/**
 * Name of the calling workload: by the certificate of its connection or, in a mesh, by the header of our own
 * proxy. Undefined for a caller that shows nothing.
 */
export type IdentifyCaller = (call: Identifiable) => string | typeof admittedByMesh | undefined;

/** A caller without a name here, whom the mesh has found on the method's list. */
export const admittedByMesh = Symbol("admitted by the mesh");

/** The refusal of a proof that does not say who calls; `problem` becomes its cause, for the log alone. */
function unproved(problem: string): ServiceError {
  const refusal = new ServiceError(
    Code.Unauthenticated,
    "WORKLOAD_INVALID",
    "the calling service could not be identified",
  );
  refusal.cause = new Error(problem);
  return refusal;
}

/** @returns a function that throws ServiceError WORKLOAD_INVALID for a proof that is not valid, or not of the kind used here */
export function identifyCallers(workload: Workload): IdentifyCaller {
  switch (workload.mesh) {
    case "none":
      return byConnection;
    case "istio":
      return byHeader(identityHeaders.istio, (value) => nameInForwardedCert(value, workload.name, workload));
    case "istio-ambient":
      return checkedByWaypoint;
    case "linkerd":
      return byHeader(identityHeaders.linkerd, (value) => nameInLinkerdId(value, workload));
  }
}

function checkedByWaypoint({ header }: Identifiable): typeof admittedByMesh {
  refuseOthers(header, undefined);
  return admittedByMesh;
}

function byConnection({ header, contextValues }: Identifiable): string | undefined {
  refuseOthers(header, undefined);
  const peer = contextValues.get(peerKey);
  if (peer.kind === "silent") return undefined;
  if (peer.kind === "refused") throw unproved(peer.reason);
  if (peer.validUntil < Date.now()) throw unproved(`the certificate of "${peer.name}" has expired`);
  return peer.name;
}

function byHeader(name: string, read: (value: string) => string): IdentifyCaller {
  return ({ header }) => {
    refuseOthers(header, name);
    const value = header.get(name);
    if (value === null) return undefined;
    try {
      return read(value);
    } catch (error) {
      throw unproved((error as Error).message);
    }
  };
}

/** A header that no proxy of ours sets was made up by somebody. */
function refuseOthers(header: Headers, trusted: string | undefined): void {
  for (const name of allIdentityHeaders)
    if (name !== trusted && header.has(name)) throw unproved(`${name} is not used here`);
}
