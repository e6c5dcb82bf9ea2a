import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";

test("a thousand random requests neither crash nor confuse the gateway", async () => {
  const { failure, memory } = await fuzz(1_000, 20_261_127);
  expect(failure).toBeUndefined();
  expect(memory[1] - memory[0]).toBeLessThan(200);
});
