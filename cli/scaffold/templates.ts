/** The files of a new service: templates, and where each goes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Language } from "./languages/language.ts";
import type { Spellings } from "./naming.ts";

const folder = join(import.meta.dirname, "template");

/** The contract is the same in every language. */
const contract: Readonly<Record<string, string>> = {
  "proto/service.proto": "proto/{{dir}}/{{file}}.proto",
  "proto/events.proto": "proto/{{dir}}/events.proto",
  "proto/error_reason.proto": "proto/{{dir}}/error_reason.proto",
};

/** Path in the repository → text, for every file of the service. */
export function filesOf(spellings: Spellings, { files, spell }: Language): Map<string, string> {
  const own = Object.entries(spell(spellings)).map(([name, text]) => [name, fill(text, spellings)] as const);
  const all = { ...spellings, ...Object.fromEntries(own) };
  return new Map(
    Object.entries({ ...contract, ...files }).map(([template, path]) => [
      fill(path, all),
      fill(readFileSync(join(folder, `${template}.tpl`), "utf8"), all),
    ]),
  );
}

/**
 * Puts spellings where the text names them.
 * @throws Error for a name that is no spelling: the template is wrong
 */
export function fill(text: string, spellings: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{([\w-]+)\}\}/g, (_, name: string) => {
    const spelling = spellings[name];
    if (spelling === undefined) throw new Error(`a template asks for "${name}"`);
    return spelling;
  });
}
