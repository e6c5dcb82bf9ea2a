import { expect, test } from "vitest";
import { bytes, duration, figure, ms, percent, rate, shortMethod, since, words } from "./format.js";

test("what is not known is a dash, and never nought", () => {
  for (const form of [figure, rate, ms, percent, bytes]) expect(form(undefined)).toBe("–");
  expect(since(undefined, 0)).toBe("–");
});

test("shares are never rounded up to all", () => {
  expect(percent(0.9999)).toBe("99.9 %");
  expect(percent(1)).toBe("100 %");
  expect(percent(0)).toBe("0 %");
});

test.each([
  [0, "0 ms"],
  [0.034, "0.03 ms"],
  [9.96, "10.0 ms"],
  [512.4, "512 ms"],
  [1_234, "1.23 s"],
  [95_000, "1 min 35 s"],
])("%d milliseconds are %s", (value, text) => expect(ms(value)).toBe(text));

test("sizes, times and names are as people read them", () => {
  expect(bytes("1536")).toBe("1.5 KiB");
  expect(duration(90_061)).toBe("1 d 1 h");
  expect(words("NOT_READY")).toBe("not ready");
  expect(shortMethod("library.v1.Shelf/Lend")).toBe("Shelf/Lend");
  expect(shortMethod("GET /v1/books")).toBe("GET /v1/books");
});
