import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { v7 as uuidv7 } from "uuid";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { recordEvent } from "#mesh/runtime/events/outbox.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { normaliseEmail, refuseCommonPassword, rolesAtRegistration } from "./account.ts";
import type { Passwords } from "./password-hash.ts";
import { type Account, AccountRow } from "./storage.ts";

/** Somebody who wants an account. */
export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly displayName: string;
  /** A new UUIDv7 when left out. */
  readonly id?: string;
  /** Those of a customer when left out. */
  readonly roles?: readonly string[];
}

/**
 * Stores the account and tells the others, in one transaction.
 * @throws ServiceError REQUEST_INVALID, PASSWORD_TOO_COMMON, EMAIL_TAKEN; what `Passwords` throws
 */
export async function registerUser(
  { orm, passwords }: { orm: MikroORM; passwords: Passwords },
  { id = uuidv7(), password, displayName, roles = rolesAtRegistration, ...given }: Registration,
  signal?: AbortSignal,
): Promise<Account> {
  refuseCommonPassword(password);
  const email = normaliseEmail(given.email);
  // Before the transaction: it takes long, and a connection is scarcer than a core.
  const passwordHash = await passwords.hash(password, signal);
  return inTransaction(orm, async (tx) => {
    if (await tx.findOne(AccountRow, { email })) throw emailTaken();
    const createdAt = new Date();
    recordEvent(tx, UserRegisteredSchema, {
      userId: id,
      email,
      displayName,
      roles: [...roles],
      registeredAt: timestampFromDate(createdAt),
    });
    return tx.create(AccountRow, { id, email, passwordHash, roles: [...roles], createdAt });
  });
}

function emailTaken(): ServiceError {
  return new ServiceError(Code.AlreadyExists, "EMAIL_TAKEN", "an account with this e-mail exists", {
    fields: [{ field: "email", description: "an account with this e-mail exists" }],
  });
}
