import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { baseCommit } from "./base-contract.ts";

/** A repository with a contract and as many commits as texts. */
function repository(...texts: string[]) {
  const root = mkdtempSync(join(tmpdir(), "weft-base-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const git = (...args: string[]) => {
    const who = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    return execFileSync("git", [...who, ...args], { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  };
  const write = (text: string) => writeFileSync(join(root, "proto/a.proto"), text);
  git("init", "--quiet", "--initial-branch", "main");
  mkdirSync(join(root, "proto"));
  for (const text of texts) {
    write(text);
    git("add", ".");
    git("commit", "--quiet", "--message", text);
  }
  return { root, git, write };
}

test("on main it is the commit before", () => {
  const { root, git } = repository("one", "two");
  expect(baseCommit(root, undefined)).toBe(git("rev-parse", "HEAD~1"));
});

test("while the contract is being edited it is the last commit", () => {
  const { root, git, write } = repository("one", "two");
  write("three");
  expect(baseCommit(root, undefined)).toBe(git("rev-parse", "HEAD"));
});

test("on a branch it is where the branch left main, edited or not", () => {
  const { root, git, write } = repository("one", "two");
  const fork = git("rev-parse", "HEAD");
  git("update-ref", "refs/remotes/origin/main", fork);
  write("three");
  git("commit", "--quiet", "--all", "--message", "three");
  expect(baseCommit(root, undefined)).toBe(fork);
  write("four");
  expect(baseCommit(root, undefined)).toBe(fork);
});

test("the first contract has nothing to be compared with", () => {
  expect(baseCommit(repository("one").root, undefined)).toBeUndefined();
});

test("a commit that is named must be there", () => {
  const { root, git } = repository("one", "two");
  expect(baseCommit(root, "main")).toBe(git("rev-parse", "HEAD"));
  expect(() => baseCommit(root, "nowhere")).toThrow("BASE_REF=nowhere is not a commit here");
});
