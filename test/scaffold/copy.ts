/** A copy of this repository with a history of its own, to try commands on that change everything. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** Plain JavaScript, since it runs before anything is installed. */
const bootstrap = join(root, "deploy/local/bootstrap/packages.mjs");
const { isInstalled } = (await import(bootstrap)) as { isInstalled(): boolean };

export interface Copy {
  readonly folder: string;
  /** Runs a program there. @throws Error with what it printed, when it fails */
  run(program: string, ...args: string[]): string;
  /** What git finds changed; empty when nothing is. */
  changed(): string;
  remove(): void;
}

/**
 * Copies what git has or would add; packages are shared.
 * @throws Error when packages are not those of the lock file: the copy would install its own over them
 */
export function copyRepository(): Copy {
  if (!isInstalled()) throw new Error("packages are not those of package-lock.json: npm ci");
  const folder = mkdtempSync(join(tmpdir(), "weft-scaffold-"));
  const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", listed, { cwd: root, encoding: "utf8" });
  for (const file of new Set(files.split("\0").filter(Boolean))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const run = (program: string, ...args: string[]) => {
    const began = Date.now();
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
    console.log(`${[program, ...args].join(" ")}: ${((Date.now() - began) / 1_000).toFixed(1)} s`);
    if (status !== 0) throw new Error(`${program} ended with ${status}\n${stdout}\n${stderr}`);
    return stdout;
  };
  run("git", "init", "-q");
  run("git", "add", "-A");
  run("git", "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "before");
  return {
    folder,
    run,
    changed: () => execFileSync("git", ["status", "--porcelain"], { cwd: folder, encoding: "utf8" }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
