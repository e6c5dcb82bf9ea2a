import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { validate as isUuid } from "uuid";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { type Order, OrderRow } from "./storage.ts";

const defaultPageSize = 20;

/**
 * A page of a customer's orders, newest first (AIP-158). Ids are UUIDv7 and so in order of time.
 * @throws ServiceError PAGE_TOKEN_INVALID
 */
export async function listOrders(
  orm: MikroORM,
  { customerId, pageSize, pageToken }: { customerId: string; pageSize: number; pageToken: string },
): Promise<{ orders: Order[]; nextPageToken: string }> {
  const limit = pageSize || defaultPageSize;
  const before = pageToken && readToken(pageToken);
  const where = before ? { customerId, id: { $lt: before } } : { customerId };
  const rows = await orm.em.fork().find(OrderRow, where, { orderBy: { id: "desc" }, limit: limit + 1 });
  const orders = rows.slice(0, limit);
  const last = orders.at(-1);
  return {
    orders,
    nextPageToken: rows.length > limit && last ? Buffer.from(last.id).toString("base64url") : "",
  };
}

function readToken(token: string): string {
  const id = Buffer.from(token, "base64url").toString();
  if (isUuid(id)) return id;
  throw new ServiceError(Code.InvalidArgument, "PAGE_TOKEN_INVALID", "the page token is not valid", {
    fields: [{ field: "page_token", description: "use next_page_token of the reply before" }],
  });
}
