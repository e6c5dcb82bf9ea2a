/** The repository that a command changes: all of a change is written and generated, or nothing is left of it. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { CommandFailed } from "../run-command-line.ts";
import { generateStubs } from "./stubs.ts";

export const root = join(import.meta.dirname, "../..");

/** The written list of callers and users of every method, for reviews: its test writes it. */
const whoMayCall = "test/contract/testdata/who-may-call.txt";

export const textOf = (path: string) => readFileSync(join(root, path), "utf8");
export const exists = (path: string) => existsSync(join(root, path));

/** Paths of all contracts of the product, which are all but the kit's own. */
export function protoFiles(): string[] {
  return readdirSync(join(root, "proto"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".proto") && !path.startsWith("weft/"))
    .map((path) => `proto/${path}`);
}

/**
 * Writes files, formats them and generates what follows from the contract.
 *
 * @param changes path → new text; undefined: the file goes
 * @param stubs language without whose stubs all of it is of no use
 * @returns what could not be generated here, a line each
 * @throws CommandFailed with what the generators said, after every file is as it was
 */
export async function change(
  changes: ReadonlyMap<string, string | undefined>,
  stubs?: string,
): Promise<string[]> {
  const texts = new Map(changes);
  if (exists(whoMayCall)) texts.set(whoMayCall, textOf(whoMayCall)); // put back with the others when it goes wrong
  const earlier = new Map(
    [...texts.keys()].map((path) => [path, exists(path) ? readFileSync(join(root, path)) : undefined]),
  );
  try {
    write(texts);
    await format([...texts].filter(([, text]) => text !== undefined).map(([path]) => path));
    await run("npm", ["run", "--silent", "gen"]);
    const leftOut = await generateStubs(run, stubs);
    await formatPython([...texts].filter(([, text]) => text !== undefined).map(([path]) => path));
    if (exists(whoMayCall)) await writeDownWhoMayCall();
    return leftOut;
  } catch (error) {
    write(earlier);
    // The reason below is the one to read.
    await run("npm", ["run", "--silent", "gen"]).catch(() => {});
    await generateStubs(run).catch(() => {});
    throw new CommandFailed(`nothing was changed: ${(error as Error).message}`);
  }
}

async function writeDownWhoMayCall(): Promise<void> {
  const test = "test/contract/access-matrix.test.ts";
  await run("npx", [
    "--no-install",
    "vitest",
    "run",
    "--project",
    "parts",
    test,
    "-u",
    "-t",
    "is written down",
  ]);
}

function write(texts: ReadonlyMap<string, string | Buffer | undefined>): void {
  for (const [path, text] of texts) {
    const file = join(root, path);
    if (text === undefined) {
      rmSync(file, { force: true });
      removeEmptyFolders(dirname(path));
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function removeEmptyFolders(path: string): void {
  if (path === "." || !exists(path) || readdirSync(join(root, path)).length > 0) return;
  rmSync(join(root, path), { recursive: true });
  removeEmptyFolders(dirname(path));
}

async function format(paths: string[]): Promise<void> {
  const protos = paths.filter((path) => path.endsWith(".proto"));
  const others = paths.filter((path) => /\.(ts|json|md|yaml)$/.test(path));
  if (others.length > 0) await run("npx", ["--no-install", "biome", "check", "--write", ...others]);
  const inGo = paths.filter((path) => path.endsWith(".go"));
  // Without Go there are no stubs either, which says what is missing.
  if (inGo.length > 0)
    await run("gofmt", ["-w", ...inGo]).catch((error: Error) => {
      if (!error.message.includes("ENOENT")) throw error;
    });
  for (const path of protos) await run("npx", ["--no-install", "buf", "format", "-w", path]);
}

/** After the stubs, with which its tools have come. Where imports belong depends on their names. */
async function formatPython(paths: string[]): Promise<void> {
  const inPython = paths.filter((path) => path.endsWith(".py"));
  if (inPython.length === 0) return;
  const ruff = (...args: string[]) =>
    run(".weft/python/bin/python", ["-m", "ruff", ...args, "--config", "mesh/python/ruff.toml", ...inPython]);
  await ruff("check", "--quiet", "--fix");
  await ruff("format", "--quiet");
}

async function run(program: string, args: string[]): Promise<void> {
  await promisify(execFile)(program, args, { cwd: root, maxBuffer: 16 * 1024 * 1024 }).catch(
    (error: { stdout?: string; stderr?: string; message: string }) => {
      const said = `${error.stderr ?? ""}${error.stdout ?? ""}`.trim();
      throw new Error(`${program} ${args.slice(0, 3).join(" ")}: ${said || error.message}`);
    },
  );
}
