import fc from "fast-check";
import { expect, test } from "vitest";
import { adjust, commit, type Pieces, release, reserve } from "./stock.ts";

const stockOf = (available: number): Pieces => ({ productId: "p", available, reserved: 0, sold: 0 });

test("more than is available cannot be reserved, and nothing changes", () => {
  const stock = stockOf(3);
  expect(() => reserve(stock, "p", 4)).toThrow(expect.objectContaining({ reason: "OUT_OF_STOCK" }));
  expect(stock).toEqual(stockOf(3));
});

test("a product without stock is out of stock", () => {
  expect(() => reserve(undefined, "p", 1)).toThrow(expect.objectContaining({ reason: "OUT_OF_STOCK" }));
});

test("an adjustment below zero is refused and names the field", () => {
  expect(() => adjust(stockOf(3), -4)).toThrow(
    expect.objectContaining({ fields: [{ field: "delta", description: "3 pieces are available" }] }),
  );
});

test("whatever happens, the sum is kept and nothing goes below zero", () => {
  const step = fc.record({
    act: fc.constantFrom("reserve", "commit", "putBack", "giveBack"),
    quantity: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.array(step, { maxLength: 40 }), (start, steps) => {
      const stock = stockOf(start);
      for (const { act, quantity } of steps) {
        if (act === "reserve" && stock.available >= quantity) reserve(stock, "p", quantity);
        if (act === "commit" && stock.reserved >= quantity) commit(stock, quantity);
        if (act === "putBack" && stock.reserved >= quantity) release(stock, quantity, "reserved");
        if (act === "giveBack" && stock.sold >= quantity) release(stock, quantity, "sold");
        expect(stock.available + stock.reserved + stock.sold).toBe(start);
        expect(Math.min(stock.available, stock.reserved, stock.sold)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
