import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { hashRefreshToken } from "./refresh-token.ts";
import { RefreshTokenRow, SessionRow } from "./storage.ts";
import { signOutEverywhere } from "./void-tokens.ts";

/**
 * Ends the session of a refresh token; without one all sessions of the user, and his access tokens. A token that is unknown
 * or somebody else's changes nothing and is not told apart: an answer would say which tokens exist.
 */
export async function logOut(
  orm: MikroORM,
  { userId, refreshToken }: { userId: string; refreshToken: string },
): Promise<void> {
  if (refreshToken === "") {
    await signOutEverywhere(orm, userId);
    return;
  }
  await inTransaction(orm, async (tx) => {
    const endedAt = new Date();
    const token = await tx.findOne(RefreshTokenRow, { hash: hashRefreshToken(refreshToken) });
    if (!token) return;
    await tx.nativeUpdate(SessionRow, { id: token.sessionId, userId, endedAt: null }, { endedAt });
  });
}
