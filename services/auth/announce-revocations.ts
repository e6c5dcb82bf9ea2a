/**
 * Tells every process which access tokens are void. The account says whether that has been done, so that a crash,
 * or NATS being away, delays it and loses nothing.
 */
import type { MikroORM } from "@mikro-orm/postgresql";
import { pollingWorker } from "#mesh/runtime/polling-worker.ts";
import type { ServiceParts, Worker } from "#mesh/runtime/service.ts";
import { AccountRow } from "./storage.ts";

/** Accounts of one round. */
const batch = 100;
/** All of it is told again this often, in milliseconds: the bus may have lost its disk. */
const repeatEveryMs = 60_000;
/** Tokens live 5 minutes (access-token.ts): what was voided longer ago has expired. */
const worthRepeating = "10 minutes";

export function announceRevocations({
  orm,
  log,
  announceRevocation,
}: Pick<ServiceParts, "orm" | "log" | "announceRevocation">): Worker {
  let repeatedAt = Date.now();
  return pollingWorker({
    pollMs: 500,
    pauseAfterErrorMs: 1_000,
    async round() {
      if (Date.now() - repeatedAt > repeatEveryMs) {
        repeatedAt = Date.now();
        await announceAgain(orm);
      }
      const em = orm.em.fork();
      const waiting = await em.find(AccountRow, { revocationAnnounced: false }, { limit: batch });
      for (const { id, tokensVoidBefore } of waiting) {
        if (!tokensVoidBefore) continue;
        await announceRevocation({ user: id, before: tokensVoidBefore.getTime() / 1_000 });
        // One that was made meanwhile waits for its own turn.
        await em.nativeUpdate(AccountRow, { id, tokensVoidBefore }, { revocationAnnounced: true });
      }
      return waiting.length === batch;
    },
    onError: (error) => log.warn({ err: error }, "revoked tokens are not announced; trying again"),
  });
}

async function announceAgain(orm: MikroORM): Promise<void> {
  await orm.em
    .fork()
    .execute(
      `update accounts set revocation_announced = false where tokens_void_before > now() - interval '${worthRepeating}'`,
    );
}
