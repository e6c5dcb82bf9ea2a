import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { refuseCommonPassword } from "./account.ts";
import { countAttempt, forgiveAttempt } from "./login-attempts.ts";
import type { Passwords } from "./password-hash.ts";
import { AccountRow, lockAccount } from "./storage.ts";
import { endAllSessions } from "./void-tokens.ts";

/**
 * Gives a user another password and signs him out everywhere: whoever knew the old one is out. Guesses at the old
 * password count as attempts to sign in.
 * @throws ServiceError CREDENTIALS_WRONG, LOGIN_THROTTLED, PASSWORD_TOO_COMMON; what `Passwords` throws
 */
export async function changePassword(
  { orm, passwords }: { orm: MikroORM; passwords: Passwords },
  { userId, current, next }: { userId: string; current: string; next: string },
  signal?: AbortSignal,
): Promise<void> {
  refuseCommonPassword(next);
  const account = await orm.em.fork().findOne(AccountRow, { id: userId });
  if (!account) throw wrong();
  await countAttempt(orm, account.email);
  if (!(await passwords.verify(current, account.passwordHash, signal))) throw wrong();
  await forgiveAttempt(orm, account.email);
  const passwordHash = await passwords.hash(next, signal);
  await inTransaction(orm, async (tx) => {
    const locked = await lockAccount(tx, userId);
    // Changed by somebody else meanwhile: the password that was shown is not the current one any more.
    if (locked?.passwordHash !== account.passwordHash) throw wrong();
    locked.passwordHash = passwordHash;
    await endAllSessions(tx, userId);
  });
}

function wrong(): ServiceError {
  return new ServiceError(Code.Unauthenticated, "CREDENTIALS_WRONG", "the current password is wrong");
}
