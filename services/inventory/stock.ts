/** Rules of stock: available + reserved + sold changes only by adjustment, and nothing goes below zero. */
import { Code } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

/** Pieces of one product. */
export interface Pieces {
  readonly productId: string;
  available: number;
  reserved: number;
  sold: number;
}

/** Pieces of one product that an order asks for. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

/** Largest number of pieces of a product. */
const maxAvailable = 2_000_000_000;

/** Sets pieces aside. @throws ServiceError OUT_OF_STOCK, naming the product */
export function reserve(stock: Pieces | undefined, productId: string, quantity: number): void {
  if (!stock || stock.available < quantity) {
    throw new ServiceError(Code.FailedPrecondition, "OUT_OF_STOCK", "not enough pieces in stock", {
      metadata: { productId, requested: String(quantity), available: String(stock?.available ?? 0) },
    });
  }
  stock.available -= quantity;
  stock.reserved += quantity;
}

/** Whether two reservations ask for the same, in whatever order. */
export function sameLines(ours: readonly Line[], theirs: readonly Line[]): boolean {
  const texts = (lines: readonly Line[]) =>
    lines.map(({ productId, quantity }) => `${productId} ${quantity}`);
  return texts(ours).sort().join() === texts(theirs).sort().join();
}

/** Sells pieces that were set aside. */
export function commit(stock: Pieces, quantity: number): void {
  stock.reserved -= quantity;
  stock.sold += quantity;
}

/** Puts back pieces that were set aside or sold. */
export function release(stock: Pieces, quantity: number, from: "reserved" | "sold"): void {
  stock[from] -= quantity;
  stock.available += quantity;
}

/** Adds pieces, or takes some away. @throws ServiceError OUT_OF_STOCK when fewer are available */
export function adjust(stock: Pieces, delta: number): void {
  if (stock.available + delta < 0 || stock.available + delta > maxAvailable) {
    throw new ServiceError(
      Code.FailedPrecondition,
      "OUT_OF_STOCK",
      `the stock must stay between 0 and ${maxAvailable}`,
      {
        fields: [{ field: "delta", description: `${stock.available} pieces are available` }],
        metadata: { productId: stock.productId, available: String(stock.available) },
      },
    );
  }
  stock.available += delta;
}
