/**
 * Compares the contract with the one at a base commit (buf breaking). The imports of the contract are
 * not in git, so both sides are built to images first.
 *
 * The base is BASE_REF, or else where this branch left origin/main, or else the commit before.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function baseCommit(): string | undefined {
  const wanted = process.env.BASE_REF;
  if (wanted)
    return (
      git("rev-parse", "--verify", `${wanted}^{commit}`) ?? fail(`BASE_REF=${wanted} is not a commit here`)
    );
  const head = git("rev-parse", "HEAD");
  const fork = git("merge-base", "HEAD", "origin/main");
  return fork && fork !== head ? fork : git("rev-parse", "--verify", "HEAD~1");
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const base = baseCommit();
if (!base || git("cat-file", "-e", `${base}:proto`) === undefined) {
  console.log("no contract to compare with: this is the first one");
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "weft-breaking-"));
try {
  const before = join(folder, "before");
  mkdirSync(before);
  const archive = execFileSync("git", ["archive", base, "proto", "buf.yaml"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  execFileSync("tar", ["-x", "-C", before], { input: archive });
  symlinkSync(join(root, "third_party"), join(before, "third_party"));
  const image = join(folder, "before.binpb");
  execFileSync("buf", ["build", "proto", "-o", image], { cwd: before, stdio: "inherit" });
  const now = join(folder, "now");
  mkdirSync(now);
  for (const path of ["proto", "third_party", "buf.yaml"])
    cpSync(join(root, path), join(now, path), { recursive: true });
  const { status } = spawnSync("buf", ["breaking", "proto", "--against", image], {
    cwd: now,
    stdio: "inherit",
  });
  if (status !== 0) fail(`the contract breaks what ${base.slice(0, 12)} promised`);
  console.log(`compatible with ${base.slice(0, 12)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
