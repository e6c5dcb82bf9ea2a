/** Names of workloads as SPIFFE ids (https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md). */

/** Within which names are unique. */
export interface TrustDomain {
  /** Such as "weft.local" or, in a cluster, "cluster.local". */
  readonly trustDomain: string;
  /** Namespace of the workloads; "default" outside of a cluster. */
  readonly namespace: string;
}

/** Id of the workload `name`, in the form that Istio uses. */
export function spiffeId(name: string, { trustDomain, namespace }: TrustDomain): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;
}

/**
 * Name in an id of this domain and namespace; undefined for every other text. Ids are compared as they are: a
 * SPIFFE id has no other spelling, so what would have to be decoded or normalised first is not one.
 */
export function nameIn(id: string, domain: TrustDomain): string | undefined {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) && id === spiffeId(name, domain)
    ? name
    : undefined;
}
