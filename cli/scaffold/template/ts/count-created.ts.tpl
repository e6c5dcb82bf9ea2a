import type { EntityManager } from "@mikro-orm/postgresql";

/** One more of this user. Runs in the transaction of the inbox, so that a redelivery counts once. */
export async function countCreated(tx: EntityManager, ownerId: string): Promise<void> {
  await tx.execute(
    `insert into {{thing_}}_stats as stats (owner_id, created) values (?, 1)
     on conflict (owner_id) do update set created = stats.created + 1`,
    [ownerId],
  );
}
