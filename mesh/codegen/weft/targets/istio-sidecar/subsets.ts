import type { MeshMethod, MeshService } from "../../contract/model.ts";
import { kebab } from "../../output/kebab.ts";
import { groupMethods } from "../method-groups.ts";
import { limitsOf, type TrafficLimits } from "../traffic-limits.ts";

/**
 * Methods of one service with other limits than the rest get a subset of the destination: the same endpoints with
 * a pool and a breaker of their own.
 */
export interface Subsets {
  /** Of the methods without a subset. */
  readonly usual: TrafficLimits;
  readonly others: readonly { readonly name: string; readonly limits: TrafficLimits }[];
  /** Undefined: the usual limits. */
  nameFor(method: MeshMethod): string | undefined;
}

/** The largest group, the first among equals, has the usual limits. @throws never: a service has a method */
export function subsetsOf({ methods }: MeshService): Subsets {
  const groups = groupMethods(methods, limitsOf);
  const usual = groups.reduce((most, group) => (group.methods.length > most.methods.length ? group : most));
  const others = groups
    .filter((group) => group !== usual)
    .map((group) => ({ ...group, name: `as-${kebab(group.methods[0]!.name)}` }));
  return {
    usual: usual.key,
    others: others.map(({ name, key }) => ({ name, limits: key })),
    nameFor: (method) => others.find((group) => group.methods.includes(method))?.name,
  };
}
