import { ANYBODY, type Contract } from "../../contract/model.ts";
import { uniqueNames } from "../../output/unique-names.ts";
import { SCRAPER } from "./authentications.ts";

/** The different sets of callers in a contract; each is one authentication. */
export interface CallerSets {
  /** By name. */
  readonly all: readonly { readonly name: string; readonly callers: readonly string[] }[];
  /** "edge-and-order"; undefined where anybody is among them. */
  nameOf(callers: readonly string[]): string | undefined;
}

export function callerSets({ services }: Contract): CallerSets {
  const sets = new Map<string, readonly string[]>();
  for (const { methods } of services)
    for (const { policy } of methods)
      if (policy.callers.length > 0 && !policy.callers.includes(ANYBODY))
        sets.set(policy.callers.join(), policy.callers);
  const wanted = [...sets].map(([key, callers]) => ({ key, name: callers.join("-and-"), identity: key }));
  const names = uniqueNames(wanted, new Set([SCRAPER.name]));
  return {
    all: [...sets]
      .map(([key, callers]) => ({ name: names.get(key)!, callers }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    nameOf: (callers) => names.get(callers.join()),
  };
}
