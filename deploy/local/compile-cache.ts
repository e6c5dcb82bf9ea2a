import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Files; each edit of a source adds one, and Node removes none. */
const mostFiles = 20_000;

/**
 * Lets the processes keep compiled code between starts, which halves the time they
 * take to get ready.
 *
 * Node writes it when a process ends. The services share most of their modules; if
 * all of them wrote those at once, the first Ctrl-C would take ten seconds. So while
 * there is no cache only one process fills it, and the others add the rest next time.
 *
 * @param root of the repository: the cache serves every data folder
 * @returns environment for the process that is started as number 0, 1, 2, ...
 */
export function compileCache(root: string): (number: number) => NodeJS.ProcessEnv {
  const folder = join(root, ".weft", "compile-cache");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = readdirSync(folder, { recursive: true }).length;
  if (files > mostFiles) rmSync(folder, { recursive: true });
  const empty = files < 10 || files > mostFiles;
  return (number) => (empty && number > 0 ? {} : { NODE_COMPILE_CACHE: folder });
}
