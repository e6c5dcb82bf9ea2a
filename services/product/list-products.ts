import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { pageTokens } from "#mesh/runtime/paging/page-token.ts";
import { containing, wordsOf } from "./product.ts";
import { type Product, ProductRow } from "./storage.ts";

const defaultPageSize = 20;
/** Name to sort by (PostgreSQL takes no NUL) and id of the last row of a page. */
const tokens = pageTokens(z.tuple([z.string().regex(/^[^\0]*$/), z.uuid()]));

/** Which products to list. */
export interface Listing {
  /** Products on a page; 0: the default. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
  /** Empty for all categories. */
  readonly category: string;
  /** Every word must stand in the name or the description, in any case. Empty for all products. */
  readonly query: string;
}

/**
 * A page of the catalogue by name. Walking all pages meets every product that stays as it is exactly once,
 * whatever is added or taken out meanwhile.
 * @throws ServiceError PAGE_TOKEN_INVALID
 */
export async function listProducts(
  orm: MikroORM,
  { pageSize, pageToken, category, query }: Listing,
): Promise<{ products: Product[]; nextPageToken: string }> {
  const words = wordsOf(query);
  const filters = [category, ...words];
  const position = tokens.read(filters, pageToken);
  const size = pageSize || defaultPageSize;
  const rows = await orm.em.fork().find(
    ProductRow,
    {
      deletedAt: null,
      ...(category ? { category } : {}),
      $and: [
        ...words.map((word) => ({ searchText: { $like: containing(word) } })),
        ...(position ? [behind(position)] : []),
      ],
    },
    // One more than asked for: it tells whether there is a next page.
    { orderBy: { sortName: "asc", id: "asc" }, limit: size + 1 },
  );
  const products = rows.slice(0, size);
  const last = products.at(-1);
  const more = rows.length > size && last;
  return { products, nextPageToken: more ? tokens.write(filters, [last.sortName, last.id]) : "" };
}

/** (sortName, id) > position, written so that an index on both finds the place. */
function behind([sortName, id]: [string, string]) {
  return { sortName: { $gte: sortName }, $or: [{ sortName: { $gt: sortName } }, { id: { $gt: id } }] };
}
