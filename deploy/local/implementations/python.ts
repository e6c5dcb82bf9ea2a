import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CommandFailed, runCommand } from "../run-command.ts";
import { type Implementation, NotBuilt } from "./implementation.ts";

/** Exact versions of every package that programs in Python need; they share one virtual environment. */
const requirements = "mesh/python/requirements.txt";
/** The same for what checks, tests and the generator of stubs need besides. */
const toolRequirements = "mesh/python/requirements-dev.txt";
/** Generated stubs and the kit's modules. */
const shared = ["gen/python", "mesh/python"];
const installSeconds = 300;
/** Ends with 0 where Python is new enough and can make virtual environments. */
export const isNewEnough = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

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

/**
 * The interpreter of the virtual environment, with the tools of development in it.
 *
 * @throws NotBuilt
 */
export async function pythonWithTools(root: string): Promise<string> {
  making ??= makeEnvironment(root);
  await making;
  const stamp = join(folderOf(root), "tools-made-from");
  const wanted = hashOf(root, toolRequirements);
  if (read(stamp) !== wanted) {
    await install(root, toolRequirements);
    writeFileSync(stamp, wanted);
  }
  return interpreter(root);
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
  const wanted = hashOf(root, requirements);
  if (read(stamp) === wanted) return;
  const advice = "install Python 3.11 or newer with its module venv (Debian: apt install python3-venv)";
  await run(root, "python3", ["-c", isNewEnough], advice);
  await run(root, "python3", ["-m", "venv", "--clear", folder], advice);
  await install(root, requirements);
  writeFileSync(stamp, wanted); // last: a half-made environment is made anew
}

async function install(root: string, file: string): Promise<void> {
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
  await run(
    root,
    interpreter(root),
    ["-m", "pip", "install", ...quiet, "--only-binary", ":all:", "-r", file],
    `pip could not install ${file}: is the network there?`,
  );
}

async function run(root: string, command: string, args: string[], advice: string): Promise<void> {
  await runCommand(command, args, { cwd: root, env: process.env, seconds: installSeconds }).catch(
    (error: Error) => {
      if (!(error instanceof CommandFailed)) throw error;
      rmSync(folderOf(root), { recursive: true, force: true });
      throw new NotBuilt(`Python packages: ${error.message}; ${advice}`);
    },
  );
}

function hashOf(root: string, file: string): string {
  return createHash("sha256")
    .update(readFileSync(join(root, file)))
    .digest("hex");
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
