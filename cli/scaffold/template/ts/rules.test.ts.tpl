import { expect, test } from "vitest";
import { titleOf } from "./{{thing-}}.ts";

test.each([
  ["as it is", "as it is"],
  ["  around ", "around"],
  ["in \t between", "in between"],
])("the title %j is kept as %j", (given, kept) => {
  expect(titleOf(given)).toBe(kept);
});

test.each(["", " ", "\t\n"])("%j is no title", (given) => {
  expect(() => titleOf(given)).toThrow(expect.objectContaining({ reason: "TITLE_BLANK" }));
});
