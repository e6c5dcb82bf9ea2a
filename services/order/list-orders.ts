import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { pageTokens } from "#mesh/runtime/paging/page-token.ts";
import { type Order, OrderRow } from "./storage.ts";

const defaultPageSize = 20;
/** Id of the last row of a page. */
const tokens = pageTokens(z.uuid());

/**
 * A page of a customer's orders, newest first (AIP-158). Ids are UUIDv7 and so in order of time.
 * @throws ServiceError PAGE_TOKEN_INVALID
 */
export async function listOrders(
  orm: MikroORM,
  { customerId, pageSize, pageToken }: { customerId: string; pageSize: number; pageToken: string },
): Promise<{ orders: Order[]; nextPageToken: string }> {
  const limit = pageSize || defaultPageSize;
  const before = tokens.read([customerId], pageToken);
  const where = before ? { customerId, id: { $lt: before } } : { customerId };
  const rows = await orm.em.fork().find(OrderRow, where, { orderBy: { id: "desc" }, limit: limit + 1 });
  const orders = rows.slice(0, limit);
  const last = orders.at(-1);
  return {
    orders,
    nextPageToken: rows.length > limit && last ? tokens.write([customerId], last.id) : "",
  };
}
