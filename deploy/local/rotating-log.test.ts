import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRotatingLog } from "./rotating-log.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-log-"));
  file = join(folder, "shelf.log");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the log never has more files than allowed, and the newest lines are kept", () => {
  const log = openRotatingLog(file, { maxBytes: 100, files: 3 });
  for (let number = 0; number < 1_000; number++) log.write(`line ${number}\n`);
  log.close();

  expect(readdirSync(folder).sort()).toEqual(["shelf.log", "shelf.log.1", "shelf.log.2"]);
  expect(readFileSync(file, "utf8")).toMatch(/line 999\n$/);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThan(120);
});

test("a line that arrives in pieces stays in one file", () => {
  const log = openRotatingLog(file, { maxBytes: 10, files: 3 });
  log.write("the beginning of a line");
  log.write(" and its end\n");
  log.write("another\n");
  log.close();
  expect(readFileSync(`${file}.1`, "utf8")).toBe("the beginning of a line and its end\n");
  expect(readFileSync(file, "utf8")).toBe("another\n");
});

test("it goes on where an earlier start ended, and only its owner can read it", () => {
  const first = openRotatingLog(file);
  first.write("one\n");
  first.close();
  const second = openRotatingLog(file);
  second.write("two\n");
  second.close();
  second.write("too late\n");
  expect(readFileSync(file, "utf8")).toBe("one\ntwo\n");
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
