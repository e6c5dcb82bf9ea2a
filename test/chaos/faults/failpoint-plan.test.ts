import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Random } from "../harness/random.ts";
import { failpointFigures, writePlans } from "./failpoint-plan.ts";

const failpoints = { books: ["commit.before", "commit.after"], loans: ["commit.before", "lend.before"] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-plan-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const planOf = (process: string) =>
  readFileSync(join(folder, `${process}.plan`), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" ")[0]!);

test("every failpoint gets its crashes, in processes that pass it", () => {
  writePlans(folder, failpoints, 20, new Random("1"));
  const all = [...planOf("books"), ...planOf("loans")];
  for (const name of ["commit.before", "commit.after", "lend.before"])
    expect(all.filter((planned) => planned === name)).toHaveLength(20);
  expect(new Set(planOf("books"))).toEqual(new Set(failpoints.books));
  expect(new Set(planOf("loans"))).toEqual(new Set(failpoints.loans));
});

test("a part of the failpoints may be chosen, and plans may be taken back", () => {
  writePlans(folder, failpoints, 0.5, new Random("1"));
  expect([...planOf("books"), ...planOf("loans")]).toHaveLength(2);
  writePlans(folder, failpoints, 0, new Random("1"));
  expect([...planOf("books"), ...planOf("loans")]).toEqual([]);
});

test("what happened is counted over all processes", () => {
  writePlans(folder, failpoints, 1, new Random("1"));
  writeFileSync(join(folder, "books.passes"), "commit.before\ncommit.after\n");
  writeFileSync(join(folder, "loans.passes"), "commit.before\n");
  writeFileSync(join(folder, "loans.crashes"), "commit.before\n");
  expect(failpointFigures(folder, ["books", "loans", "idle"])).toEqual({
    passes: { "commit.before": 2, "commit.after": 1 },
    crashes: { "commit.before": 1 },
    left: 2,
  });
});
