import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { armFailpoints } from "./failpoint.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-failpoints-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const env = () => ({ WEFT_FAILPOINTS: folder, WEFT_SERVICE: "library" });
const plan = (...lines: string[]) => writeFileSync(join(folder, "library.plan"), `${lines.join("\n")}\n`);
const linesOf = (kind: string) =>
  readFileSync(join(folder, `library.${kind}`), "utf8")
    .split("\n")
    .slice(0, -1);

test("without the setting nothing dies and nothing is written", () => {
  const die = vi.fn();
  armFailpoints({ WEFT_SERVICE: "library" }, die)("loan.commit.before");
  expect(die).not.toHaveBeenCalled();
});

test("dies at the planned pass of the planned failpoint, and nowhere else", () => {
  plan("loan.commit.before 3");
  const die = vi.fn();
  const failpoint = armFailpoints(env(), die);
  for (let pass = 1; pass <= 2; pass++) failpoint("loan.commit.before");
  failpoint("loan.commit.after");
  expect(die).not.toHaveBeenCalled();
  failpoint("loan.commit.before");
  expect(die).toHaveBeenCalledOnce();
  expect(linesOf("crashes")).toEqual(["loan.commit.before"]);
});

test("each life of the process takes the next line of the plan, and none when all have happened", () => {
  plan("loan.commit.before 1", "loan.commit.after 1");
  const die = vi.fn();
  const live = () => {
    const failpoint = armFailpoints(env(), die);
    failpoint("loan.commit.before");
    failpoint("loan.commit.after");
  };
  live();
  live();
  live();
  expect(linesOf("crashes")).toEqual(["loan.commit.before", "loan.commit.after"]);
  expect(die).toHaveBeenCalledTimes(2);
});

test("a plan may come while the process runs, and be taken back", () => {
  const die = vi.fn();
  const failpoint = armFailpoints(env(), die);
  failpoint("loan.commit.before");
  plan("loan.commit.before 2");
  failpoint("loan.commit.before");
  plan();
  failpoint("loan.commit.before");
  expect(die).not.toHaveBeenCalled();
});

test("every pass is counted, also of those that no plan names", () => {
  const failpoint = armFailpoints(env(), () => {});
  failpoint("loan.commit.before");
  failpoint("loan.commit.after");
  expect(linesOf("passes")).toEqual(["loan.commit.before", "loan.commit.after"]);
});

test("production refuses to start with failpoints", () => {
  expect(() => armFailpoints({ ...env(), NODE_ENV: "production" })).toThrow("WEFT_FAILPOINTS");
});

test("a plan that cannot be read is refused", () => {
  plan("loan.commit.before soon");
  expect(() => armFailpoints(env())("loan.commit.before")).toThrow(
    'not "FAILPOINT N": loan.commit.before soon',
  );
});
