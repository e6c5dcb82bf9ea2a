import { expect, test } from "vitest";
import { checkTexts, containing, fold, priceOfCents, searchColumns, wordsOf } from "./product.ts";

test("case and accents make no difference to a search", () => {
  expect(fold("Café CRÈME ﬁlter")).toBe("cafe creme filter");
});

test("a search is looked for word by word, each once", () => {
  expect(wordsOf("  Dark\troast DARK\u0000x ")).toEqual(["dark", "roast", "x"]);
  expect(wordsOf("   ")).toEqual([]);
});

test("wildcards in a search mean themselves", () => {
  expect(containing("50%_\\")).toBe("%50\\%\\_\\\\%");
});

test("a long name takes its place by its beginning", () => {
  const { sortName, searchText } = searchColumns({ name: "😀".repeat(200), description: "End" });
  expect(sortName).toBe("😀".repeat(72));
  expect(searchText.endsWith("\nend")).toBe(true);
});

test("cents become units and nanos", () => {
  expect(priceOfCents(1290)).toEqual({ currencyCode: "USD", units: 12n, nanos: 900_000_000 });
  expect(priceOfCents(5)).toEqual({ currencyCode: "USD", units: 0n, nanos: 50_000_000 });
});

test("control characters are refused by field, line breaks in a description are not", () => {
  checkTexts({ name: "Tea", description: "One\nTwo\tThree" });
  expect(() => checkTexts({ name: "Te\na", description: "a\u0000b" })).toThrow(
    expect.objectContaining({
      reason: "REQUEST_INVALID",
      fields: [expect.objectContaining({ field: "name" }), expect.objectContaining({ field: "description" })],
    }),
  );
});
