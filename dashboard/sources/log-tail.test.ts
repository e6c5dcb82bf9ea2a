import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogTail } from "./log-tail.ts";

let folder: string;
let tail: LogTail;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-tail-"));
  tail = new LogTail(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name = "shelf.log") => join(folder, name);
const texts = async () => (await tail.read()).map(({ text }) => text);

test("only whole lines are read, each once, letters of several bytes too", async () => {
  const bytes = Buffer.from("one\nzwölf\n");
  writeFileSync(file(), bytes.subarray(0, 7)); // ends within the ö
  expect(await texts()).toEqual(["one"]);
  appendFileSync(file(), bytes.subarray(7));
  expect(await texts()).toEqual(["zwölf"]);
  expect(await texts()).toEqual([]);
});

test("a file that is moved away and begun anew loses no line", async () => {
  writeFileSync(file(), "1\n");
  expect(await texts()).toEqual(["1"]);
  appendFileSync(file(), "2\n");
  renameSync(file(), file("shelf.log.1"));
  writeFileSync(file(), "3\n");
  expect(await texts()).toEqual(["2", "3"]);
});

test("of a long file the end is read first, from the beginning of a line", async () => {
  writeFileSync(file(), `${"x".repeat(99)}\n`.repeat(10_000));
  const lines = await texts();
  expect(lines.length).toBeGreaterThan(2_000);
  expect(lines.length).toBeLessThan(3_000);
  expect(new Set(lines)).toEqual(new Set(["x".repeat(99)]));
});

test("lines of several processes come in the order of their times", async () => {
  const at = (second: number) =>
    `${JSON.stringify({ time: `2026-01-01T00:00:0${second}Z`, msg: String(second) })}\n`;
  writeFileSync(file("a.log"), at(1) + at(4));
  writeFileSync(file("b.log"), at(2) + at(3));
  expect((await tail.read()).map(({ process }) => process)).toEqual(["a", "b", "b", "a"]);
});

test("a folder that is not there has no lines", async () => {
  expect(await new LogTail(join(folder, "none")).read()).toEqual([]);
});
