import { Code } from "@connectrpc/connect";
import { LockMode } from "@mikro-orm/core";
import type { MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import type { AccessTokens } from "./access-token.ts";
import { normaliseEmail } from "./account.ts";
import { countAttempt, forgiveAttempt } from "./login-attempts.ts";
import type { Passwords } from "./password-hash.ts";
import { hashRefreshToken, newRefreshToken } from "./refresh-token.ts";
import { sessionExpiry } from "./session.ts";
import { type Account, AccountRow, RefreshTokenRow, SessionRow } from "./storage.ts";

/** What somebody who signed in goes on with. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/**
 * Starts a session. An unknown address costs the same time and gets the same answer as a wrong password.
 * @throws ServiceError CREDENTIALS_WRONG, LOGIN_THROTTLED; what `Passwords` throws
 */
export async function logIn(
  parts: { orm: MikroORM; passwords: Passwords; accessTokens: AccessTokens },
  { email, password }: { email: string; password: string },
  signal?: AbortSignal,
): Promise<Tokens> {
  const { orm, passwords, accessTokens } = parts;
  const address = normaliseEmail(email);
  await countAttempt(orm, address);
  const account = await orm.em.fork().findOne(AccountRow, { email: address });
  const right = await passwords.verify(password, account?.passwordHash, signal);
  if (!account || !right) throw wrong();
  await forgiveAttempt(orm, address);
  const started = await startSession(orm, account);
  if (!started) throw wrong();
  return {
    accessToken: await accessTokens.issue(started.account, started.at),
    refreshToken: started.refreshToken,
  };
}

function wrong(): ServiceError {
  return new ServiceError(Code.Unauthenticated, "CREDENTIALS_WRONG", "e-mail or password is wrong");
}

/**
 * Starts a session, unless the password that was checked is not the account's any more.
 * @returns with the session's first refresh token
 */
function startSession(orm: MikroORM, { id: userId, passwordHash }: Account) {
  return inTransaction(orm, async (tx) => {
    // Shared with other logins; a change of the password, or signing out everywhere, comes before or after.
    const account = await tx.findOne(AccountRow, { id: userId }, { lockMode: LockMode.PESSIMISTIC_READ });
    if (account?.passwordHash !== passwordHash) return undefined;
    const refreshToken = newRefreshToken();
    const at = new Date();
    const sessionId = uuidv7();
    // Flushed by itself: the token refers to it, which the entities do not say.
    tx.create(SessionRow, { id: sessionId, userId, startedAt: at, expiresAt: sessionExpiry(at, at) });
    await tx.flush();
    tx.create(RefreshTokenRow, { hash: hashRefreshToken(refreshToken), sessionId, createdAt: at });
    return { account, refreshToken, at };
  });
}
