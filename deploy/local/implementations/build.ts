import type { Options } from "../options.ts";
import type { Run } from "../run.ts";
import type { ServiceEntry } from "../topology.ts";
import type { Implementation } from "./implementation.ts";

type Languages = Pick<Options, "languages">;

/** The language that a service runs in; undefined: TypeScript. */
export function languageOf(
  { languages }: Languages,
  { name, entry, implementations = {} }: ServiceEntry,
): string | undefined {
  const only = entry === undefined ? Object.keys(implementations)[0] : undefined;
  return languages.get(name) ?? only;
}

/** What runs in place of a service's TypeScript program; undefined where that runs. */
export function implementationOf(options: Languages, entry: ServiceEntry): Implementation | undefined {
  const language = languageOf(options, entry);
  return language === undefined ? undefined : entry.implementations?.[language];
}

/**
 * Builds the programs of all services that run in another language, before any of them starts.
 *
 * @throws NotBuilt
 */
export async function buildImplementations({ system, options, root, output }: Run): Promise<void> {
  const others = system.services.filter((entry) => implementationOf(options, entry));
  if (others.length === 0) return;
  const began = Date.now();
  await Promise.all(others.map((entry) => implementationOf(options, entry)?.build(root)));
  const list = others.map((entry) => `${entry.name} in ${languageOf(options, entry)}`).join(", ");
  output.done("built", list, Date.now() - began);
}
