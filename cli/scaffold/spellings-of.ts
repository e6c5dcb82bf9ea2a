/** Spellings of a service that is there. */
import { CommandFailed } from "../run-command-line.ts";
import { type Spellings, spellingsFor } from "./naming.ts";
import { protoFiles, textOf } from "./repository.ts";

/**
 * Its package is read from its contract; what it keeps is not known.
 * @throws CommandFailed when no contract has it
 */
export function spellingsOf(name: string): Spellings {
  const declared = protoFiles().find((path) => new RegExp(`^\\s*name: "${name}"`, "m").test(textOf(path)));
  const found = declared && /^package (\w+)\.\w+\.v\d+;$/m.exec(textOf(declared));
  if (!found) throw new CommandFailed(`NAME: no contract under proto/ has the service "${name}"`);
  return spellingsFor(name, { thing: "Thing", root: found[1] as string, today: new Date() });
}
