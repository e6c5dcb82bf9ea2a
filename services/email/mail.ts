/** What the mails say. No framework, no database. */

/** Somebody to write to or from. */
export interface Address {
  /** May be empty. */
  readonly name: string;
  readonly address: string;
}

/** A sum as in google.type.Money, with the units in decimal digits so that it can be stored as JSON. */
export interface Sum {
  readonly currencyCode: string;
  readonly units: string;
  readonly nanos: number;
}

/** The order as the mail speaks of it. */
export interface OrderSummary {
  readonly items: readonly { productName: string; quantity: number; unitPrice: Sum }[];
  readonly total: Sum;
  /** Why it was cancelled, in words; empty for a confirmed order. */
  readonly reason: string;
}

export type MailKind = "ORDER_CONFIRMATION" | "ORDER_CANCELLATION";

/** A mail to write. */
export interface Letter {
  readonly kind: MailKind;
  readonly orderId: string;
  readonly order: OrderSummary;
  /** Name to greet with; may be empty. */
  readonly name: string;
  /** When the order was placed; undefined when that is not known. */
  readonly placedAt: Date | undefined;
}

/** A mail as it is sent. */
export interface Written {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Writes a mail: plain text, and the same as HTML. */
export function writeMail(letter: Letter): Written {
  const { kind, orderId, order, placedAt } = letter;
  const name = visible(letter.name);
  const greeting = name ? `Hello ${name},` : "Hello,";
  const placed = placedAt ? ` of ${placedAt.toISOString().slice(0, 10)}` : "";
  const confirmed = kind === "ORDER_CONFIRMATION";
  const news = confirmed
    ? `your order ${orderId}${placed} is confirmed and paid.`
    : `your order ${orderId}${placed} is cancelled${order.reason ? `: ${order.reason}` : ""}.`;
  const end = confirmed ? "Thank you for your order." : "Whatever was charged for it is given back.";
  const lines = order.items.map(({ productName, quantity, unitPrice }) => ({
    quantity: String(quantity),
    product: visible(productName),
    price: formatSum(unitPrice),
    sum: formatSum(times(unitPrice, quantity)),
  }));
  const total = formatSum(order.total);
  return {
    subject: `Your order ${orderId} is ${confirmed ? "confirmed" : "cancelled"}`,
    text: [
      greeting,
      "",
      news,
      "",
      ...lines.map(({ quantity, product, price, sum }) => `${quantity} × ${product}, ${price} each: ${sum}`),
      "",
      `Total: ${total}`,
      "",
      end,
      "",
    ].join("\n"),
    html: [
      "<!doctype html>",
      '<html lang="en"><body>',
      `<p>${escapeHtml(greeting)}</p>`,
      `<p>${escapeHtml(news)}</p>`,
      "<table>",
      "<tr><th>Quantity</th><th>Product</th><th>Price</th><th>Sum</th></tr>",
      ...lines.map(({ quantity, product, price, sum }) => row([quantity, product, price, sum])),
      `<tr><th colspan="3">Total</th><td>${escapeHtml(total)}</td></tr>`,
      "</table>",
      `<p>${escapeHtml(end)}</p>`,
      "</body></html>",
      "",
    ].join("\n"),
  };
}

/** "12.90 USD"; more digits when the sum has any. */
export function formatSum({ currencyCode, units, nanos }: Sum): string {
  const fraction = String(Math.abs(nanos))
    .padStart(9, "0")
    .replace(/0{1,7}$/, "");
  const sign = nanos < 0 && !units.startsWith("-") ? "-" : "";
  return `${sign}${units}.${fraction} ${visible(currencyCode)}`.trimEnd();
}

/** Text of mail bodies: no character that hides, reorders or breaks lines. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

function times({ currencyCode, units, nanos }: Sum, quantity: number): Sum {
  const billionths = (BigInt(units) * 1_000_000_000n + BigInt(nanos)) * BigInt(quantity);
  return {
    currencyCode,
    units: String(billionths / 1_000_000_000n),
    nanos: Number(billionths % 1_000_000_000n),
  };
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}

/**
 * Whether `text` is one address that can stand in a header and in SMTP's RCPT TO without quoting
 * (a dot-string of RFC 5321 section 4.1.2, with UTF-8 as RFC 6531 has it).
 */
export function isAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[^\s\p{Cc}\p{Cf}<>()[\]\\,;:@"]+@[^\s\p{Cc}\p{Cf}<>()[\]\\,;:@"]+$/u.test(text)
  );
}
