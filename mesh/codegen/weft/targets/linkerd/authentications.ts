/** Sets of callers that policies refer to. */
import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";
import type { CallerSets } from "./caller-sets.ts";

const GROUP = "policy.linkerd.io";
const OBSERVABILITY = "observability";

/** Anybody, from any address, in the mesh or not. */
export const ANYWHERE = { group: GROUP, kind: "NetworkAuthentication", name: "anywhere" };
/** What reads metrics. */
export const SCRAPER = servicesNamed("scraper");

export function servicesNamed(name: string): { group: string; kind: string; name: string } {
  return { group: GROUP, kind: "MeshTLSAuthentication", name };
}

/** One authentication for each set of callers in the contract, and those that belong to none. */
export function authentications(sets: CallerSets, options: MeshOptions): Resource[] {
  const byCallers = sets.all.map(({ name, callers }) =>
    meshTls(name, options, {
      identityRefs: callers.map((caller) => ({ kind: "ServiceAccount", name: caller })),
    }),
  );
  return [
    resource(
      options,
      "policy.linkerd.io/v1alpha1 NetworkAuthentication",
      { name: ANYWHERE.name },
      { spec: { networks: [{ cidr: "0.0.0.0/0" }, { cidr: "::/0" }] } },
    ),
    meshTls(SCRAPER.name, options, {
      identities: [`prometheus.${OBSERVABILITY}.serviceaccount.identity.linkerd.${options.trustDomain}`],
    }),
    ...byCallers,
  ];
}

function meshTls(name: string, options: MeshOptions, spec: object): Resource {
  return resource(options, "policy.linkerd.io/v1alpha1 MeshTLSAuthentication", { name }, { spec });
}
