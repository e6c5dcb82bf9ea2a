import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, runCommand } from "../run-command.ts";
import { type Implementation, NotBuilt } from "./implementation.ts";

/** The first build compiles what it depends on; go keeps that. */
const buildSeconds = 600;

/**
 * A program in Go: package `folder`, built into .weft/bin.
 *
 * @param name of the program, unique among all
 * @param folder of its package main, from the root of the repository
 */
export function goProgram(name: string, folder: string): Implementation {
  const program = (root: string) => join(root, ".weft", "bin", name);
  return {
    async build(root) {
      const temporary = join(root, ".weft", "go-build");
      mkdirSync(temporary, { recursive: true });
      // On the same disk as the result, so that go moves it there in one step: another shop may be starting, too.
      const env = { ...process.env, GOTMPDIR: temporary };
      const args = ["build", "-trimpath", "-buildvcs=false", "-o", program(root), `./${folder}`];
      await runCommand("go", args, { cwd: root, env, seconds: buildSeconds }).catch((error: Error) => {
        if (!(error instanceof CommandFailed)) throw error;
        const advice = /is not here$/.test(error.message)
          ? "; install Go 1.26 or newer (https://go.dev/dl/)"
          : `; go build ./${folder} shows all of it`;
        throw new NotBuilt(`${name}: ${error.message}${advice}`);
      });
    },
    command: (root) => [program(root)],
  };
}
