import { expect, test } from "vitest";
import { BlockedKeys } from "./blocked-keys.ts";

test("a key waits twice as long with each refusal, up to a minute", () => {
  let now = 0;
  const keys = new BlockedKeys(() => now);
  const waits = Array.from({ length: 8 }, () => {
    const wait = keys.block("shelf-1");
    now += wait;
    expect(keys.current()).toEqual([]);
    return wait;
  });
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("only keys whose wait is not over are blocked", () => {
  let now = 0;
  const keys = new BlockedKeys(() => now);
  keys.block("shelf-1");
  now = 600;
  keys.block("shelf-2");
  expect(keys.current()).toEqual(["shelf-1", "shelf-2"]);
  now = 1_200;
  expect(keys.current()).toEqual(["shelf-2"]);
});

test("a key that has been quiet starts with the shortest wait again", () => {
  let now = 0;
  const keys = new BlockedKeys(() => now);
  keys.block("shelf-1");
  now = 120_000;
  keys.current();
  expect(keys.block("shelf-1")).toBe(1_000);
});
