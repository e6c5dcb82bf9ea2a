import { expect, test } from "vitest";
import { formatSum, isAddress, type Letter, writeMail } from "./mail.ts";

const usd = (units: string, nanos = 0) => ({ currencyCode: "USD", units, nanos });
const letter: Letter = {
  kind: "ORDER_CONFIRMATION",
  orderId: "01900000-0000-7000-8000-0000000000aa",
  name: "Alice",
  placedAt: new Date("2026-11-22T10:00:00Z"),
  order: {
    items: [
      { productName: "House Espresso", quantity: 2, unitPrice: usd("12", 900_000_000) },
      { productName: "Mug", quantity: 1, unitPrice: usd("8") },
    ],
    total: usd("33", 800_000_000),
    reason: "",
  },
};

test("a confirmation names the order, each item with quantity, price and sum, and the total", () => {
  const { subject, text, html } = writeMail(letter);
  expect(subject).toBe(`Your order ${letter.orderId} is confirmed`);
  expect(text).toContain("Hello Alice,");
  expect(text).toContain(`your order ${letter.orderId} of 2026-11-22 is confirmed and paid.`);
  expect(text).toContain("2 × House Espresso, 12.90 USD each: 25.80 USD");
  expect(text).toContain("1 × Mug, 8.00 USD each: 8.00 USD");
  expect(text).toContain("Total: 33.80 USD");
  for (const part of [letter.orderId, "House Espresso", "25.80 USD", "33.80 USD"])
    expect(html).toContain(part);
});

test("a cancellation says why, and that nothing is owed", () => {
  const order = { ...letter.order, reason: "the payment was declined" };
  const { subject, text } = writeMail({ ...letter, kind: "ORDER_CANCELLATION", order, placedAt: undefined });
  expect(subject).toBe(`Your order ${letter.orderId} is cancelled`);
  expect(text).toContain(`your order ${letter.orderId} is cancelled: the payment was declined.`);
  expect(text).toContain("Whatever was charged for it is given back.");
});

test("without a name the greeting is without one", () => {
  expect(writeMail({ ...letter, name: " \r\n" }).text).toMatch(/^Hello,\n/);
});

test("what people typed is text in HTML, never markup", () => {
  const items = [{ productName: `<img src="x" onerror='a&b'>`, quantity: 1, unitPrice: usd("1") }];
  const { html } = writeMail({ ...letter, name: "<script>", order: { ...letter.order, items } });
  expect(html).not.toContain("<script>");
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt;");
});

test("line breaks and characters that reorder text do not get into a line", () => {
  const { text } = writeMail({ ...letter, name: "A\r\nBcc: b@example.com\u202Egnp.exe\u0000" });
  expect(text.split("\n")[0]).toBe("Hello A Bcc: b@example.com gnp.exe,");
});

test("sums keep every digit that matters", () => {
  expect(formatSum(usd("9007199254740993", 10_000_000))).toBe("9007199254740993.01 USD");
  expect(formatSum(usd("0", 1_000_000))).toBe("0.001 USD");
  expect(formatSum(usd("5"))).toBe("5.00 USD");
  expect(formatSum(usd("0", -500_000_000))).toBe("-0.50 USD");
});

test("an address is one address, without anything that could end a header or name a second one", () => {
  for (const address of ["alice@example.com", "a.b+c@sub.example.co", "jürgen@exämple.de"])
    expect(isAddress(address), address).toBe(true);
  for (const address of [
    "",
    "alice",
    "a@b@c",
    "a@b.c, d@e.f",
    "a@b.c\r\nBcc: d@e.f",
    "<a@b.c>",
    '"a b"@c.d',
    "a@b.c;d",
    "a\u0000@b.c",
    `${"a".repeat(251)}@b.c`,
  ])
    expect(isAddress(address), JSON.stringify(address)).toBe(false);
});
