/**
 * DESIGN
 *
 * A failpoint is a named place where a test can let the process die as if its power had gone: no handler runs,
 * nothing is flushed. They stand before and after whatever must not be half done: commits, publications,
 * acknowledgements, commands to others. test/chaos arms them.
 *
 * Off unless WEFT_FAILPOINTS names a folder when the process starts: then `failpoint` is an empty function.
 * In the folder, for a process with WEFT_SERVICE=NAME:
 *
 *   NAME.plan     one line a crash, "FAILPOINT N": die at the Nth pass of this life of the process. It may come
 *                 while the process runs, and be taken back
 *   NAME.crashes  one line a crash that happened; its length says which line of the plan is next
 *   NAME.passes   one line for each pass, written before the process goes on
 */
import { appendFileSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes the function that marks failpoints.
 *
 * @param die - ends the process; does not return, except in tests
 * @throws Error when failpoints are asked for in production; from the function, when the plan cannot be read
 */
export function armFailpoints(
  env: NodeJS.ProcessEnv,
  die: () => void = () => process.kill(process.pid, "SIGKILL"),
): (name: string) => void {
  const folder = env.WEFT_FAILPOINTS;
  if (!folder) return () => {};
  if (env.NODE_ENV === "production") throw new Error("WEFT_FAILPOINTS: not in production");
  const file = join(folder, env.WEFT_SERVICE ?? "process");
  const passes = openSync(`${file}.passes`, "a", 0o600);
  const nextLine = () => linesOf(`${file}.plan`)[linesOf(`${file}.crashes`).length];
  let planned: { line: string; name: string; left: number } | undefined;
  return (name) => {
    writeSync(passes, `${name}\n`);
    const line = planned?.line ?? nextLine();
    if (line === undefined) return;
    planned ??= { line, ...readPlanned(line) };
    if (name !== planned.name || --planned.left > 0 || nextLine() !== line) return;
    appendFileSync(`${file}.crashes`, `${name}\n`, { mode: 0o600 });
    die();
  };
}

/** Marks a place where the process may be told to die. Does nothing unless failpoints are armed. */
export const failpoint: (name: string) => void = armFailpoints(process.env);

function readPlanned(line: string): { name: string; left: number } {
  const [, name, count] = /^([\w.]+) (\d{1,6})$/.exec(line) ?? [];
  if (!name || !count) throw new Error(`WEFT_FAILPOINTS: a line of the plan is not "FAILPOINT N": ${line}`);
  return { name, left: Number(count) };
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
