import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CommandFailed, runCommand } from "../run-command.ts";
import { type Implementation, NotBuilt } from "./implementation.ts";

/** Exact versions of every package that programs in Python need; they share one virtual environment. */
const requirements = "mesh/python/requirements.txt";
/** Generated stubs and the kit's modules. */
const shared = ["gen/python", "mesh/python"];
const installSeconds = 300;

/**
 * A program in Python: `python -m MODULE`, in the virtual environment .weft/python, which is made from
 * mesh/python/requirements.txt once, and again when that file changes.
 *
 * @param module started as the program
 * @param folder where the module lies, from the root of the repository
 */
export function pythonProgram(module: string, folder: string): Implementation {
  return {
    async build(root) {
      // Programs that start together share the environment: the second waits for the first.
      making ??= makeEnvironment(root);
      await making;
    },
    command: (root) => [interpreter(root), "-m", module],
    environment: (root) => ({
      PYTHONPATH: [...shared, folder].map((path) => join(root, path)).join(delimiter),
      PYTHONUNBUFFERED: "1",
    }),
  };
}

let making: Promise<void> | undefined;

const folderOf = (root: string) => join(root, ".weft", "python");

function interpreter(root: string): string {
  return process.platform === "win32"
    ? join(folderOf(root), "Scripts", "python.exe")
    : join(folderOf(root), "bin", "python");
}

async function makeEnvironment(root: string): Promise<void> {
  const folder = folderOf(root);
  const stamp = join(folder, "made-from");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, requirements)))
    .digest("hex");
  if (read(stamp) === wanted) return;
  const run = async (command: string, args: string[], advice: string) => {
    await runCommand(command, args, { cwd: root, env: process.env, seconds: installSeconds }).catch(
      (error: Error) => {
        if (!(error instanceof CommandFailed)) throw error;
        rmSync(folder, { recursive: true, force: true });
        throw new NotBuilt(`Python packages: ${error.message}; ${advice}`);
      },
    );
  };
  await run(
    "python3",
    ["-m", "venv", "--clear", folder],
    "install Python 3.11 or newer with its module venv (Debian: apt install python3-venv)",
  );
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
  await run(
    interpreter(root),
    ["-m", "pip", "install", ...quiet, "--only-binary", ":all:", "-r", requirements],
    `pip could not install ${requirements}: is the network there?`,
  );
  writeFileSync(stamp, wanted); // last: a half-made environment is made anew
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
