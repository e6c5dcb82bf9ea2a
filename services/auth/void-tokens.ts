/** Ends what a user's tokens can do before their time. */
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { lockAccount, SessionRow } from "./storage.ts";

/**
 * Ends all sessions of a user and voids the access tokens issued until now; announce-revocations.ts tells everybody.
 * @returns false when there is no such user
 */
export function signOutEverywhere(orm: MikroORM, userId: string): Promise<boolean> {
  return inTransaction(orm, async (tx) => {
    if (!(await lockAccount(tx, userId))) return false;
    await endAllSessions(tx, userId);
    return true;
  });
}

/** The same as a part of a transaction. */
export async function endAllSessions(tx: EntityManager, userId: string): Promise<void> {
  await tx.nativeUpdate(SessionRow, { userId, endedAt: null }, { endedAt: new Date() });
  await voidAccessTokens(tx, userId);
}

/**
 * Voids the access tokens that a user got until now. Called after the session's end in the same transaction: a
 * refresh that was faster has its token's time by then, and that time is not later than the one taken here.
 */
export async function voidAccessTokens(tx: EntityManager, userId: string): Promise<void> {
  const account = await lockAccount(tx, userId);
  if (!account) return;
  account.tokensVoidBefore = nextSecond(Date.now());
  account.revocationAnnounced = false;
}

/** Tokens tell whole seconds: those of this one are void, and new ones begin with the next (access-token.ts). */
function nextSecond(now: number): Date {
  return new Date((Math.floor(now / 1_000) + 1) * 1_000);
}
