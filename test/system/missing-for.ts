import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { isNewEnough } from "#local/implementations/python.ts";

const root = join(import.meta.dirname, "../..");

/** What a language's programs need, each step with what is missing where it fails. */
const steps = {
  go: [
    { command: ["go", "version"], needs: "needs Go" },
    { command: ["go", "mod", "download"], needs: "needs Go's modules" },
  ],
  python: [
    {
      command: ["python3", "-c", isNewEnough],
      needs: "needs Python (python3, 3.11 or newer, with its module venv)",
    },
  ],
};

/** Why services in this language cannot run here, as in "needs Go"; undefined: they can. */
export function missingFor(language: keyof typeof steps): string | undefined {
  return steps[language].find(({ command: [program, ...args] }) => {
    return spawnSync(program as string, args, { cwd: root }).status !== 0;
  })?.needs;
}
