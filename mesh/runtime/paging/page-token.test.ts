import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { pageTokens } from "./page-token.ts";

/** PostgreSQL takes no NUL. */
const { read, write } = pageTokens(z.tuple([z.string().regex(/^[^\0]*$/), z.uuid()]));
type Position = [string, string];

const id = "01900000-0000-7000-8000-000000000001";
const refused = expect.objectContaining({
  reason: "PAGE_TOKEN_INVALID",
  fields: [expect.objectContaining({ field: "page_token" })],
});

test("a token gives back its position, for the same filters", () => {
  const position: Position = ["crème brûlée", id];
  expect(read(["tea", "a"], write(["tea", "a"], position))).toEqual(position);
  expect(read([], "")).toBeUndefined();
});

test("a token is refused with other filters", () => {
  const token = write(["tea", "a"], ["x", id]);
  for (const filters of [[], ["tea"], ["tea", "b"], ["teaa"], ["tea,a"]])
    expect(() => read(filters, token)).toThrow(refused);
});

test("a token with any character changed, added or missing is refused", () => {
  const token = write([], ["x", id]);
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === "A" ? "B" : "A";
    expect(() => read([], token.slice(0, at) + other + token.slice(at + 1))).toThrow(refused);
    expect(() => read([], token.slice(0, at) + token.slice(at + 1))).toThrow(refused);
    expect(() => read([], `${token.slice(0, at)}=${token.slice(at)}`)).toThrow(refused);
  }
});

test("whatever is sent as a token is refused and breaks nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      for (const token of [Buffer.from(bytes).toString("base64url"), Buffer.from(bytes).toString()])
        expect(() => read([], token)).toThrow(refused);
    }),
  );
});

test("a well-made token with a position that is none is refused", () => {
  const positions = [["a\u0000", id], ["a", "1 or 1=1"], ["a"], "a", null, { 0: "a", 1: id }];
  for (const position of positions) expect(() => read([], write([], position as Position))).toThrow(refused);
});

test("the longest name makes a token that the contract takes", () => {
  expect(write(["c".repeat(50)], ["😀".repeat(72), id]).length).toBeLessThanOrEqual(500);
  expect(write(["c".repeat(50)], ['"'.repeat(72), id]).length).toBeLessThanOrEqual(500);
});
