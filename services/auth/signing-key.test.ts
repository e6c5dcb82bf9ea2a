import { expect, test } from "vitest";
import { isPublished, nextActivation, signingKey } from "./signing-key.ts";

const start = new Date("2026-01-01T00:00:00Z");
const minute = 60_000;
const day = 24 * 60 * minute;
const after = (ms: number) => new Date(start.getTime() + ms);

const first = { kid: "first", activatesAt: start, retiresAt: after(30 * day) };
const second = { kid: "second", activatesAt: after(30 * day) };

test("the first key signs at once", () => {
  expect(nextActivation([], start)).toEqual(start);
  expect(signingKey([{ kid: "first", activatesAt: start }], start)?.kid).toBe("first");
});

test("a key signs from its activation, not from its publication", () => {
  expect(signingKey([second, first], after(30 * day - 1))?.kid).toBe("first");
  expect(signingKey([second, first], after(30 * day))?.kid).toBe("second");
});

test("a replica whose clock is behind signs with the only key there is", () => {
  expect(signingKey([first], after(-2_000))?.kid).toBe("first");
});

test("the next key is made a day before 30 days are over", () => {
  const alone = [{ activatesAt: start }];
  expect(nextActivation(alone, after(29 * day - 1))).toBeUndefined();
  expect(nextActivation(alone, after(29 * day))).toEqual(after(30 * day));
});

test("a key that comes late is still published for a day before it signs", () => {
  expect(nextActivation([{ activatesAt: start }], after(40 * day))).toEqual(after(41 * day));
});

test("no key is made while one waits to become active", () => {
  expect(nextActivation([first, second], after(30 * day - minute))).toBeUndefined();
});

test("a key stays published until its last token has expired everywhere", () => {
  expect(isPublished(second, after(0))).toBe(true);
  expect(isPublished(first, after(30 * day + 14 * minute))).toBe(true);
  expect(isPublished(first, after(30 * day + 15 * minute))).toBe(false);
});
