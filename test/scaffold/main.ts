/**
 * `npm run scaffold [-- NAME ...]`: makes services with `weft new service` in a copy of this repository, tests them
 * there, takes them out again, and sees that nothing is left. Part of CI.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const copy = mkdtempSync(join(tmpdir(), "weft-scaffold-"));
const names = process.argv.length > 2 ? process.argv.slice(2) : ["gift-cards"];

function run(program: string, ...args: string[]): void {
  const began = Date.now();
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: copy, encoding: "utf8" });
  console.log(`${[program, ...args].join(" ")}: ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  if (status !== 0) throw new Error(`${program} ended with ${status}\n${stdout}\n${stderr}`);
}

const changed = () => execFileSync("git", ["status", "--porcelain"], { cwd: copy, encoding: "utf8" });

try {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  run("git", "init", "-q");
  run("git", "add", "-A");
  run("git", "-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "before");

  for (const name of names) run("npm", "run", "--silent", "weft", "--", "new", "service", name);
  run("npm", "run", "--silent", "lint");
  run("npm", "run", "--silent", "typecheck");
  const tests = [...names.map((name) => `services/${name}`), "test/contract", "test/architecture"];
  run("npx", "vitest", "run", "--project", "parts", ...tests);

  for (const name of names) run("npm", "run", "--silent", "weft", "--", "remove", "service", name, "--yes");
  if (changed() !== "") throw new Error(`something is left of the services:\n${changed()}`);
  console.log("made, tested, and gone without a trace");
} finally {
  rmSync(copy, { recursive: true, force: true });
}
