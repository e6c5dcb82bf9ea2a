/** Rules of the catalogue: how names are ordered, what a search finds, how prices are written. */
import { Code } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

/** A price as in google.type.Money: whole units and billionths of one. */
export interface Price {
  readonly currencyCode: string;
  readonly units: bigint;
  readonly nanos: number;
}

/** What people read about a product. */
export interface Texts {
  readonly name: string;
  readonly description: string;
}

/** Characters of a name that count for its place in a list; keeps page tokens short. */
const sortLength = 72;
/** Words of a search that are looked for; a query of 100 characters has at most 50. */
const wordLimit = 50;

/** Text without the differences that a reader does not mind: case, accents, ligatures. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Columns that follow from a product's texts. */
export function searchColumns({ name, description }: Texts): { sortName: string; searchText: string } {
  return {
    sortName: Array.from(fold(name)).slice(0, sortLength).join(""),
    searchText: `${fold(name)}\n${fold(description)}`,
  };
}

/** Words of a search, folded, each once. */
export function wordsOf(query: string): string[] {
  const words = fold(query)
    .split(/[\s\p{Cc}]+/u)
    .filter(Boolean);
  return [...new Set(words)].slice(0, wordLimit);
}

/** LIKE pattern for text that contains `word`, whose own wildcards mean themselves. */
export function containing(word: string): string {
  return `%${word.replace(/[\\%_]/g, "\\$&")}%`;
}

/** Price of so many cents of a US dollar. */
export function priceOfCents(cents: number): Price {
  return {
    currencyCode: "USD",
    units: BigInt(Math.floor(cents / 100)),
    nanos: (cents % 100) * 10_000_000,
  };
}

/**
 * Refuses texts with characters that no reader can see and PostgreSQL cannot store; line breaks and tabs
 * are fine in a description.
 * @throws ServiceError REQUEST_INVALID, naming the field
 */
export function checkTexts({ name = "", description = "" }: Partial<Texts>): void {
  const fields = [];
  if (/\p{Cc}/u.test(name))
    fields.push({ field: "name", description: "must not contain control characters" });
  if (/[^\P{Cc}\n\r\t]/u.test(description))
    fields.push({
      field: "description",
      description: "must not contain control characters other than line breaks",
    });
  if (fields.length > 0) {
    const text = fields.map(({ field, description }) => `${field}: ${description}`).join("; ");
    throw new ServiceError(Code.InvalidArgument, "REQUEST_INVALID", text, { fields });
  }
}

/** The answer to an id that is not in the catalogue. */
export function productNotFound(): ServiceError {
  return new ServiceError(Code.NotFound, "PRODUCT_NOT_FOUND", "no product with this id is in the catalogue");
}
