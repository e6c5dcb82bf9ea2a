import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { {{Thing}}Row } from "./storage.ts";
import { {{thing}}NotFound } from "./{{thing-}}.ts";

/**
 * Deletes {{a_words}} of this user.
 * @throws ServiceError {{THING}}_NOT_FOUND, also for somebody else's
 */
export async function delete{{Thing}}(orm: MikroORM, id: string, ownerId: string): Promise<void> {
  const deleted = await inTransaction(orm, (tx) => tx.nativeDelete({{Thing}}Row, { id, ownerId }));
  if (deleted === 0) throw {{thing}}NotFound();
}
