import { Code } from "@connectrpc/connect";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { AccessTokens } from "./access-token.ts";
import type { Tokens } from "./log-in.ts";
import { hashRefreshToken, newRefreshToken } from "./refresh-token.ts";
import { judgeRefresh, sessionExpiry } from "./session.ts";
import { type Account, AccountRow, lockRefreshToken, lockSession, RefreshTokenRow } from "./storage.ts";
import { voidAccessTokens } from "./void-tokens.ts";

type Rotation =
  | {
      readonly verdict: "rotate";
      readonly account: Account;
      readonly refreshToken: string;
      readonly issuedAt: Date;
    }
  | { readonly verdict: "reused"; readonly sessionId: string; readonly userId: string }
  | { readonly verdict: "invalid" };

/**
 * Exchanges a refresh token for new tokens. One that was used before ends its session (RFC 9700, section
 * 4.14.2), and the user's access tokens everywhere. There is no grace for repeats: a client must not refresh twice at the same time.
 * @throws ServiceError REFRESH_TOKEN_INVALID, REFRESH_TOKEN_REUSED
 */
export async function refreshSession(
  { orm, accessTokens, log }: { orm: MikroORM; accessTokens: AccessTokens; log: Logger },
  presented: string,
): Promise<Tokens> {
  // What follows a reuse must be committed, so the refusal is thrown after the transaction.
  const rotation = await inTransaction(orm, (tx) => rotate(tx, hashRefreshToken(presented)));
  switch (rotation.verdict) {
    case "rotate":
      return {
        accessToken: await accessTokens.issue(rotation.account, rotation.issuedAt),
        refreshToken: rotation.refreshToken,
      };
    case "reused":
      log.warn({ sessionId: rotation.sessionId, userId: rotation.userId }, "refresh token reused");
      throw new ServiceError(
        Code.Unauthenticated,
        "REFRESH_TOKEN_REUSED",
        "the refresh token was used before; its session is over, sign in again",
      );
    case "invalid":
      throw new ServiceError(
        Code.Unauthenticated,
        "REFRESH_TOKEN_INVALID",
        "the refresh token is unknown, expired or signed out",
      );
  }
}

/** Judges a token and does what follows. The token's lock lets one of several uses at a time in. */
async function rotate(tx: EntityManager, hash: string): Promise<Rotation> {
  const now = new Date();
  const token = await lockRefreshToken(tx, hash);
  const session = token && (await lockSession(tx, token.sessionId));
  if (!session) return { verdict: "invalid" };
  const verdict = judgeRefresh(session, token, now);
  if (verdict === "invalid") return { verdict };
  if (verdict === "reused") {
    // The access tokens of whoever holds the session end with it; once, so that old tokens are no way to pester.
    if (!session.endedAt) {
      session.endedAt = now;
      await voidAccessTokens(tx, session.userId);
    }
    return { verdict, sessionId: session.id, userId: session.userId };
  }
  const refreshToken = newRefreshToken();
  token.usedAt = now;
  session.expiresAt = sessionExpiry(session.startedAt, now);
  tx.create(RefreshTokenRow, {
    hash: hashRefreshToken(refreshToken),
    sessionId: session.id,
    createdAt: now,
  });
  const account = await tx.findOneOrFail(AccountRow, { id: session.userId });
  // The time is taken while the session is locked: see voidAccessTokens.
  return { verdict, account, refreshToken, issuedAt: now };
}
