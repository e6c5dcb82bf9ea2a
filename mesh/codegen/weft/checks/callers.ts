import { ANYBODY, EDGE, OPERATOR } from "../contract/model.ts";
import type { Problems } from "../contract/problems.ts";
import type { CheckedMethod } from "./check-contract.ts";

const SPECIAL = [EDGE, OPERATOR, ANYBODY];

/** Callers exist. A wrong one in a service's defaults is told once, at the service. */
export function checkCallers(
  { desc, own, defaults }: CheckedMethod,
  names: ReadonlySet<string>,
  problems: Problems,
): void {
  const known = [...names].filter(Boolean).sort();
  const unknown = (callers: readonly string[]) =>
    callers.filter((name) => !SPECIAL.includes(name) && !names.has(name));
  const instead = `one of ${[...known, ...SPECIAL].map((name) => `"${name}"`).join(", ")}`;
  for (const caller of unknown(own.callers ?? []))
    problems.add({
      desc,
      option: "callers",
      problem: `names "${caller}", which is no service of the contract`,
      instead,
    });
  for (const caller of unknown(defaults.callers ?? []))
    problems.add({
      desc: desc.parent,
      option: "defaults",
      problem: `has the caller "${caller}", which is no service of the contract`,
      instead,
    });
}
