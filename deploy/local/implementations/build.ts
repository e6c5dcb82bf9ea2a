import type { Options } from "../options.ts";
import type { Run } from "../run.ts";
import type { ServiceEntry } from "../topology.ts";
import type { Implementation } from "./implementation.ts";

/** What runs in place of a service's TypeScript program; undefined where that runs. */
export function implementationOf(
  { languages }: Options,
  { name, implementations }: ServiceEntry,
): Implementation | undefined {
  const language = languages.get(name);
  return language === undefined ? undefined : implementations?.[language];
}

/**
 * Builds the programs of all services that were asked for in another language, before any of them starts.
 *
 * @throws NotBuilt
 */
export async function buildImplementations({ system, options, root, output }: Run): Promise<void> {
  if (options.languages.size === 0) return;
  const began = Date.now();
  await Promise.all(system.services.map((entry) => implementationOf(options, entry)?.build(root)));
  const list = [...options.languages].map(([service, language]) => `${service} in ${language}`).join(", ");
  output.done("built", list, Date.now() - began);
}
