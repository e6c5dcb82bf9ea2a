/** Exact sums of money, in the shape of google.type.Money. */
const nanosPerUnit = 1_000_000_000n;

/** An amount; `units` is text because JSON has no 64-bit integers. */
export interface Money {
  readonly currencyCode: string;
  readonly units: string;
  readonly nanos: number;
}

/** Price of `quantity` pieces. */
export function times(price: Money, quantity: number): Money {
  return fromNanos(toNanos(price) * BigInt(quantity), price.currencyCode);
}

/** Sum of at least one amount. @throws Error when the currencies differ */
export function sum(amounts: readonly [Money, ...Money[]]): Money {
  const { currencyCode } = amounts[0];
  if (amounts.some((amount) => amount.currencyCode !== currencyCode))
    throw new Error("an order has one currency");
  return fromNanos(
    amounts.reduce((total, amount) => total + toNanos(amount), 0n),
    currencyCode,
  );
}

function toNanos({ units, nanos }: Money): bigint {
  return BigInt(units) * nanosPerUnit + BigInt(nanos);
}

function fromNanos(total: bigint, currencyCode: string): Money {
  return { currencyCode, units: String(total / nanosPerUnit), nanos: Number(total % nanosPerUnit) };
}
