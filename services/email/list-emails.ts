import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { pageTokens } from "#mesh/runtime/paging/page-token.ts";
import { type Email, EmailRow } from "./storage.ts";

const defaultPageSize = 20;
/** Time (milliseconds since 1970) and id of the last row of a page. */
const tokens = pageTokens(z.tuple([z.number().int().min(0).max(8.64e15), z.uuid()]));

/** A mail that the mail server has taken. */
export type SentEmail = Email & { recipient: string; subject: string; sentAt: Date };

/**
 * A page of sent mails, newest first. `pageSize` 0 means the default; `orderId` may be empty.
 * @throws ServiceError PAGE_TOKEN_INVALID
 */
export async function listEmails(
  orm: MikroORM,
  { pageSize, pageToken, orderId }: { pageSize: number; pageToken: string; orderId: string },
): Promise<{ emails: SentEmail[]; nextPageToken: string }> {
  const filters = [orderId.toLowerCase()];
  const position = tokens.read(filters, pageToken);
  const size = pageSize || defaultPageSize;
  const rows = await orm.em.fork().find(
    EmailRow,
    {
      sentAt: { $ne: null },
      ...(orderId ? { orderId } : {}),
      $and: position ? [behind(position)] : [],
    },
    // One more than asked for: it tells whether there is a next page.
    { orderBy: { sentAt: "desc", id: "desc" }, limit: size + 1 },
  );
  const emails = rows.slice(0, size) as SentEmail[];
  const last = emails.at(-1);
  const more = rows.length > size && last;
  return { emails, nextPageToken: more ? tokens.write(filters, [last.sentAt.getTime(), last.id]) : "" };
}

/** (sentAt, id) < position, written so that an index on both finds the place. */
function behind([time, id]: [number, string]) {
  const sentAt = new Date(time);
  return { sentAt: { $lte: sentAt }, $or: [{ sentAt: { $lt: sentAt } }, { id: { $lt: id } }] };
}
