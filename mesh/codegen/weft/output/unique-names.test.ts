import { expect, test } from "vitest";
import { uniqueNames } from "./unique-names.ts";

const named = (...wanted: [name: string, identity: string][]) =>
  uniqueNames(
    wanted.map(([name, identity]) => ({ key: identity, name, identity })),
    new Set(["taken"]),
  );

test("a name that is free and short enough is given as wanted", () => {
  expect(named(["find-book", "a"]).get("a")).toBe("find-book");
});

test.each([
  ["wanted twice", "find-book"],
  ["taken", "taken"],
  ["too long", "x".repeat(64)],
  ["too long, with a dash at the cut", `${"x".repeat(53)}-${"y".repeat(20)}`],
])("a name that is %s ends in a hash, whatever comes before it", (_why, name) => {
  const names = named([name, "a"], [name, "b"]);
  expect(names.get("a")).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  expect(names.get("a")).not.toMatch(/--/);
  expect(names.get("a")).not.toBe(names.get("b"));
  expect(named([name, "b"], ["other", "c"], [name, "a"]).get("a")).toBe(names.get("a"));
});
