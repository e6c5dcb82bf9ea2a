/** The contract as it is, and as it was at the commit that it is compared with. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

export interface Compared {
  readonly before: FileDescriptorSet;
  readonly now: FileDescriptorSet;
  /** What `buf breaking` finds (WIRE_JSON), as FILE:LINE: text. */
  readonly breaking: readonly { readonly file: string; readonly line: number; readonly text: string }[];
}

/**
 * The commit to compare with: `wanted`, or else where this branch left origin/main. On main itself it is the last
 * commit while the contract is being edited, and the one before that otherwise.
 * @returns undefined where there is none with a contract
 * @throws Error when `wanted` is no commit here
 */
export function baseCommit(root: string, wanted: string | undefined): string | undefined {
  const git = (...args: string[]) => {
    const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
    return status === 0 ? stdout.trim() : undefined;
  };
  const named = () => {
    const commit = git("rev-parse", "--verify", `${wanted}^{commit}`);
    if (!commit) throw new Error(`BASE_REF=${wanted} is not a commit here`);
    return commit;
  };
  const before = () => {
    const fork = git("merge-base", "HEAD", "origin/main");
    if (fork && fork !== git("rev-parse", "HEAD")) return fork;
    return git("status", "--porcelain", "proto")
      ? git("rev-parse", "HEAD")
      : git("rev-parse", "--verify", "HEAD~1");
  };
  const commit = wanted ? named() : before();
  return commit && git("cat-file", "-e", `${commit}:proto`) !== undefined ? commit : undefined;
}

/**
 * Compiles both sides. What they import is not in git, so the base is compiled with today's third_party.
 * @param base undefined where there is none: both sides are the contract as it is
 * @throws Error with what buf says when one of them does not compile
 */
export function compileBoth(root: string, base: string | undefined): Compared {
  const folder = mkdtempSync(join(tmpdir(), "weft-contracts-"));
  try {
    const now = join(folder, "now.binpb");
    build(root, now);
    const is = fromBinary(FileDescriptorSetSchema, readFileSync(now));
    if (base === undefined) return { before: is, now: is, breaking: [] };
    const then = join(folder, "then");
    mkdirSync(then);
    const archive = execFileSync("git", ["archive", base, "proto", "buf.yaml"], {
      cwd: root,
      maxBuffer: 64 << 20,
    });
    execFileSync("tar", ["-x", "-C", then], { input: archive });
    symlinkSync(join(root, "third_party"), join(then, "third_party"));
    const old = join(folder, "then.binpb");
    build(then, old);
    return {
      before: fromBinary(FileDescriptorSetSchema, readFileSync(old)),
      now: is,
      breaking: breakingSince(root, old),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function build(cwd: string, out: string): void {
  const { status, stderr, stdout } = spawnSync("buf", ["build", "proto", "-o", out], {
    cwd,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the contract does not compile:\n${stderr}${stdout}`);
}

interface BufFinding {
  readonly path?: string;
  readonly start_line?: number;
  readonly message: string;
}

function breakingSince(root: string, image: string): Compared["breaking"] {
  const args = ["breaking", "proto", "--against", image, "--error-format", "json"];
  const { stdout } = spawnSync("buf", args, { cwd: root, encoding: "utf8", maxBuffer: 64 << 20 });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as BufFinding)
    .map(({ path, start_line, message }) => ({
      file: path ?? "proto",
      line: start_line ?? 1,
      text: message,
    }));
}
