/** What auth does beside calls: keys are made in time; ended sessions and old attempts to sign in are forgotten. */
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Worker } from "#mesh/runtime/service.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { pruneAttempts } from "./login-attempts.ts";
import { pruneSessions } from "./prune-sessions.ts";
import { rotateSigningKeys } from "./rotate-signing-keys.ts";

/** Between two rounds, in milliseconds. */
const interval = 10 * 60 * 1_000;

/** A worker whose first round is at once: it makes the first signing key. */
export function createHousekeeping(orm: MikroORM, log: Logger): Worker {
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  const work = async () => {
    try {
      await rotateSigningKeys(orm);
      await pruneSessions(orm);
      await pruneAttempts(orm);
    } catch (error) {
      log.warn({ err: error }, "housekeeping failed; it is tried again in the next round");
    }
  };
  const next = () => {
    round = work().then(() => {
      if (timer) timer = setTimeout(next, interval);
    });
  };
  return {
    start() {
      timer = setTimeout(next, 0);
    },
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await round;
    },
  };
}
