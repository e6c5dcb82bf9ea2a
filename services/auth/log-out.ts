import type { MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { hashRefreshToken } from "./refresh-token.ts";
import { RefreshTokenRow, SessionRow } from "./storage.ts";

/**
 * Ends the session of a refresh token, or all sessions of the user without one. A token that is unknown
 * or somebody else's changes nothing and is not told apart: an answer would say which tokens exist.
 */
export async function logOut(
  orm: MikroORM,
  { userId, refreshToken }: { userId: string; refreshToken: string },
): Promise<void> {
  await inTransaction(orm, async (tx) => {
    const endedAt = new Date();
    if (refreshToken === "") {
      await tx.nativeUpdate(SessionRow, { userId, endedAt: null }, { endedAt });
      return;
    }
    const token = await tx.findOne(RefreshTokenRow, { hash: hashRefreshToken(refreshToken) });
    if (!token) return;
    await tx.nativeUpdate(SessionRow, { id: token.sessionId, userId, endedAt: null }, { endedAt });
  });
}
