import { expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

test("an upstream that always fails gets few calls twice, however many there are", () => {
  const budget = new RetryBudget();
  let tries = 0;
  for (let call = 0; call < 1_000; call++) {
    tries++;
    budget.failed();
    if (!budget.allows) continue;
    tries++;
    budget.failed();
  }
  expect(tries / 1_000).toBeLessThan(1.01);
});

test("one in twenty that fails is always tried again", () => {
  const budget = new RetryBudget();
  for (let call = 0; call < 2_000; call++) {
    if (call % 20 === 0) {
      budget.failed();
      expect(budget.allows).toBe(true);
    } else budget.succeeded();
  }
});
