import type { EntityManager } from "@mikro-orm/postgresql";
import { PermanentEventError } from "#mesh/runtime/events/consumers.ts";
import { isAddress } from "./mail.ts";
import { RecipientRow } from "./storage.ts";

/**
 * Notes whom to write to. Mails that waited for it leave at the mailer's next look.
 * @throws PermanentEventError for an address that nothing can be sent to
 */
export async function rememberRecipient(
  tx: EntityManager,
  recipient: { userId: string; address: string; displayName: string },
): Promise<void> {
  if (!isAddress(recipient.address)) throw new PermanentEventError("email is not an address to write to");
  await tx.upsert(RecipientRow, recipient);
}
