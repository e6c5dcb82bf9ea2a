/** Tables of user. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import type { PostalAddress } from "./profile.ts";

/** What is known of a user. */
export const ProfileRow = defineEntity({
  name: "Profile",
  tableName: "profiles",
  properties: {
    userId: p.uuid().primary(),
    email: p.text(),
    displayName: p.text(),
    roles: p.json<string[]>(),
    addresses: p.json<PostalAddress[]>(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export type Profile = InferEntity<typeof ProfileRow>;

export const storage: Storage = {
  entities: [ProfileRow, ...eventEntities],
  migrations: [Migration20261122000000Initial],
};

/** Locks a profile; null when there is none. */
export function lockProfile(tx: EntityManager, userId: string): Promise<Profile | null> {
  return tx.findOne(ProfileRow, { userId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
