import type { MeshMethod, MeshService } from "../../contract/model.ts";
import { kebab } from "../../output/kebab.ts";
import { uniqueNames } from "../../output/unique-names.ts";
import { istioTrafficPolicy } from "../istio/traffic-policy.ts";
import { groupMethods } from "../method-groups.ts";
import { limitsOf } from "../traffic-limits.ts";

/**
 * Methods of one service with another traffic policy than the rest get a subset of the destination: the same endpoints with
 * a pool and a breaker of their own.
 */
export interface Subsets {
  /** Traffic policy of the methods without a subset. */
  readonly usual: object;
  readonly others: readonly { readonly name: string; readonly policy: object }[];
  /** Undefined: the usual policy. */
  nameFor(method: MeshMethod): string | undefined;
}

/** The largest group, the first among equals, has the usual policy. @throws never: a service has a method */
export function subsetsOf({ methods }: MeshService): Subsets {
  const groups = groupMethods(methods, (method) => istioTrafficPolicy(limitsOf(method)));
  const usual = groups.reduce((most, group) => (group.methods.length > most.methods.length ? group : most));
  const others = groups
    .filter((group) => group !== usual)
    .map(({ key, methods: [first] }) => ({
      key,
      name: `as-${kebab(first!.name)}`,
      identity: first!.path,
    }));
  const names = uniqueNames(others);
  const subsets = new Map(
    groups.flatMap(({ key, methods: alike }) => alike.map((method) => [method, names.get(key)])),
  );
  return {
    usual: usual.key,
    others: others.map(({ key }) => ({ name: names.get(key)!, policy: key })),
    nameFor: (method) => subsets.get(method),
  };
}
