import type { EntityManager } from "@mikro-orm/postgresql";
import { type Profile, ProfileRow } from "./storage.ts";

/** Stores the profile of somebody who registered. One that exists stays as it is, with its changes. */
export async function createProfile(
  tx: EntityManager,
  registered: Pick<Profile, "userId" | "email" | "displayName" | "roles" | "createdAt">,
): Promise<void> {
  if (await tx.findOne(ProfileRow, { userId: registered.userId })) return;
  tx.create(ProfileRow, { ...registered, addresses: [], updatedAt: registered.createdAt });
}
