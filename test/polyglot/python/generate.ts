/** Writes gen/python anew: `npm run gen:python`. Needs Python, and no network once its packages are there. */
import { resolve } from "node:path";
import { NotBuilt } from "#local/implementations/implementation.ts";
import { pythonWithTools } from "#local/implementations/python.ts";
import { CommandFailed, runCommand } from "#local/run-command.ts";

const root = resolve(import.meta.dirname, "../../..");

/** @throws NotBuilt without Python, CommandFailed with what buf says */
export async function generatePython(): Promise<void> {
  await pythonWithTools(root);
  const args = ["generate", "--template", "buf.gen.python.yaml"];
  await runCommand(resolve(root, "node_modules/.bin/buf"), args, {
    cwd: root,
    env: process.env,
    seconds: 60,
  });
}

if (import.meta.main)
  await generatePython().catch((error: unknown) => {
    if (!(error instanceof NotBuilt || error instanceof CommandFailed)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
