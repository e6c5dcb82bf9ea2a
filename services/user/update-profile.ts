import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { applyChanges, type ProfileChanges, profileNotFound } from "./profile.ts";
import { lockProfile, type Profile } from "./storage.ts";

/**
 * Changes the fields that are given. Changes of other fields at the same time are kept.
 * @throws ServiceError USER_NOT_FOUND
 */
export async function updateProfile(
  orm: MikroORM,
  userId: string,
  changes: ProfileChanges,
): Promise<Profile> {
  return inTransaction(orm, async (tx) => {
    const profile = await lockProfile(tx, userId);
    if (!profile) throw profileNotFound();
    applyChanges(profile, changes, new Date());
    return profile;
  });
}
