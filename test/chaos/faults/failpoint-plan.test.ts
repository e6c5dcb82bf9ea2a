import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Random } from "../harness/random.ts";
import { CrashPlans, failpointFigures, planCrashes } from "./failpoint-plan.ts";

const failpoints = { books: ["commit.before", "commit.after"], loans: ["commit.before", "lend.before"] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-plan-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const linesOf = (process: string) =>
  readFileSync(join(folder, `${process}.plan`), "utf8")
    .split("\n")
    .slice(0, -1);
const die = (process: string, failpoint: string) =>
  appendFileSync(join(folder, `${process}.crashes`), `${failpoint}\n`);

test("every failpoint gets its crashes, in processes that pass it", () => {
  const crashes = planCrashes(failpoints, 20, new Random("1"));
  for (const name of ["commit.before", "commit.after", "lend.before"])
    expect(crashes.filter(({ failpoint }) => failpoint === name)).toHaveLength(20);
  for (const { process, failpoint } of crashes)
    expect(failpoints[process as keyof typeof failpoints]).toContain(failpoint);
});

test("a part of the failpoints may be chosen", () => {
  expect(planCrashes(failpoints, 0.5, new Random("1"))).toHaveLength(2);
  expect(planCrashes(failpoints, 0, new Random("1"))).toEqual([]);
});

test("a process is told of its next crash when the one before has come", () => {
  const crash = (failpoint: string) => ({ process: "books", failpoint, passes: 3 });
  const plans = new CrashPlans(folder, [
    crash("commit.before"),
    crash("commit.after"),
    crash("commit.before"),
  ]);
  plans.feed();
  plans.feed();
  expect(linesOf("books")).toEqual(["commit.before 3"]);
  die("books", "commit.before");
  plans.feed();
  expect(linesOf("books")).toEqual(["commit.before 3", "commit.after 3"]);
  expect(plans.stop()).toBe(2);
  expect(linesOf("books")).toEqual([]);
});

test("few processes have a crash before them at once", () => {
  const plans = new CrashPlans(
    folder,
    ["a", "b", "c", "d"].map((process) => ({ process, failpoint: "commit.before", passes: 1 })),
  );
  plans.feed();
  expect(["a", "b", "c", "d"].map((process) => linesOf(process).length)).toEqual([1, 1, 1, 0]);
  die("b", "commit.before");
  plans.feed();
  expect(linesOf("d")).toHaveLength(1);
});

test("what happened is counted over all processes", () => {
  writeFileSync(join(folder, "books.passes"), "commit.before\ncommit.after\n");
  writeFileSync(join(folder, "loans.passes"), "commit.before\n");
  writeFileSync(join(folder, "loans.crashes"), "commit.before\n");
  expect(failpointFigures(folder, ["books", "loans", "idle"])).toEqual({
    passes: { "commit.before": 2, "commit.after": 1 },
    crashes: { "commit.before": 1 },
  });
});
