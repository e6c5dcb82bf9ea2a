import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { pageTokens } from "#mesh/runtime/paging/page-token.ts";
import { {{Thing}}Row, type {{Thing}} } from "./storage.ts";

const defaultPageSize = 20;
/** Id of the last row of a page. */
const tokens = pageTokens(z.uuid());

/**
 * A page of a user's {{words_plural}}, newest first (AIP-158). Ids are UUIDv7 and so in order of time.
 * @throws ServiceError PAGE_TOKEN_INVALID
 */
export async function list{{Things}}(
  orm: MikroORM,
  { ownerId, pageSize, pageToken }: { ownerId: string; pageSize: number; pageToken: string },
): Promise<{ {{things}}: {{Thing}}[]; nextPageToken: string }> {
  const limit = pageSize || defaultPageSize;
  const before = tokens.read([ownerId], pageToken);
  const where = before ? { ownerId, id: { $lt: before } } : { ownerId };
  const rows = await orm.em.fork().find({{Thing}}Row, where, { orderBy: { id: "desc" }, limit: limit + 1 });
  const {{things}} = rows.slice(0, limit);
  const last = {{things}}.at(-1);
  return {
    {{things}},
    nextPageToken: rows.length > limit && last ? tokens.write([ownerId], last.id) : "",
  };
}
