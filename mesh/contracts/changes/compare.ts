/** All changes between two contracts that somebody may notice, in order of file and line. */
import type { Change } from "../change.ts";
import type { Surface } from "../surface.ts";
import { compareEnums } from "./compare-enums.ts";
import { compareEvents } from "./compare-events.ts";
import { compareMessages } from "./compare-messages.ts";
import { comparePolicies } from "./compare-policies.ts";
import { compareRpcs } from "./compare-rpcs.ts";
import { compareRules } from "./compare-rules.ts";

export function compare(before: Surface, now: Surface): Change[] {
  const changes = [
    ...compareRpcs(before, now),
    ...comparePolicies(before, now),
    ...compareEvents(before, now),
    ...compareMessages(before, now),
    ...compareEnums(before, now),
    ...compareRules(before, now),
  ];
  const key = ({ file, line, id }: Change) => `${file}:${String(line).padStart(6, "0")}:${id}`;
  return changes.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
