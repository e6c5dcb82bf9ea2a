import { nameIn, spiffeId, type TrustDomain } from "./spiffe-id.ts";

/**
 * Name of the caller by the header l5d-client-id, which Linkerd's proxy sets on requests that came by mutual TLS
 * and removes from all others: NAME.NAMESPACE.serviceaccount.identity.LINKERD.TRUST_DOMAIN.
 *
 * @throws Error that says what is wrong with it, for the log
 */
export function nameInLinkerdId(header: string, domain: TrustDomain): string {
  const [name = "", namespace, kind, identity, controlPlane = "", ...rest] = header.split(".");
  const known =
    namespace === domain.namespace &&
    kind === "serviceaccount" &&
    identity === "identity" &&
    /^[a-z0-9-]{1,63}$/.test(controlPlane) &&
    rest.join(".") === domain.trustDomain;
  const valid = known ? nameIn(spiffeId(name, domain), domain) : undefined;
  if (valid === undefined) throw new Error(`${header.slice(0, 200)} is no workload of this mesh`);
  return valid;
}
