import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { {{Thing}}CreatedSchema } from "#gen/{{dir}}/events_pb.ts";
import { recordEvent } from "#mesh/runtime/events/outbox.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { {{Thing}}Row, type {{Thing}} } from "./storage.ts";
import { titleOf } from "./{{thing-}}.ts";

/** Called with the {{words}} as it will be answered, in the transaction that stores it. */
export type KeepReply = (tx: EntityManager, created: {{Thing}}) => Promise<void>;

/**
 * Stores {{a_words}}, its event and the reply in one transaction: none exists alone.
 * @throws ServiceError TITLE_BLANK; what `keepReply` throws
 */
export async function create{{Thing}}(
  orm: MikroORM,
  wanted: Pick<{{Thing}}, "ownerId" | "title" | "text">,
  keepReply: KeepReply,
): Promise<void> {
  const title = titleOf(wanted.title);
  await inTransaction(orm, async (tx) => {
    const createdAt = new Date();
    const created = tx.create({{Thing}}Row, { ...wanted, id: uuidv7(), title, createdAt });
    await keepReply(tx, created);
    recordEvent(tx, {{Thing}}CreatedSchema, {
      {{thing}}Id: created.id,
      ownerId: created.ownerId,
      createdAt: timestampFromDate(createdAt),
    });
  });
}
