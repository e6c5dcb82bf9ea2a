/**
 * How often a password may be guessed: 5 wrong ones a minute and 100 an hour for each account, whoever asks from
 * wherever. Counted before the password is checked, so that guesses made together count, too; a right password
 * gives its attempt back. Addresses nobody has registered are counted alike, so that the limit tells nothing.
 */
import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

/** GCRA: seconds between attempts of an even flow, and seconds that may be ahead of it. */
const minute = { interval: 60 / 5, ahead: 60 };
const hour = { interval: 3_600 / 100, ahead: 3_600 };

/** Time at which the next attempt would come in an even flow, if it was made now. */
const next = (column: string, { interval }: typeof minute) =>
  `greatest(login_attempts.${column}, now()) + interval '${interval} seconds'`;
/** Whether that is near enough. */
const within = (column: string, limit: typeof minute) =>
  `${next(column, limit)} <= now() + interval '${limit.ahead} seconds'`;

const take = `
  insert into login_attempts (account, minute_at, hour_at)
  values (?, now() + interval '${minute.interval} seconds', now() + interval '${hour.interval} seconds')
  on conflict (account) do update
    set minute_at = ${next("minute_at", minute)}, hour_at = ${next("hour_at", hour)}
    where ${within("minute_at", minute)} and ${within("hour_at", hour)}
  returning account`;

const wait = `
  select greatest(
    extract(epoch from ${next("minute_at", minute)} - now()) - ${minute.ahead},
    extract(epoch from ${next("hour_at", hour)} - now()) - ${hour.ahead}
  )::float8 as seconds
  from login_attempts where account = ?`;

const giveBack = `
  update login_attempts
  set minute_at = minute_at - interval '${minute.interval} seconds',
      hour_at = hour_at - interval '${hour.interval} seconds'
  where account = ?`;

/**
 * Counts an attempt to sign in.
 * @param email normalised
 * @throws ServiceError LOGIN_THROTTLED, with when to come again
 */
export async function countAttempt(orm: MikroORM, email: string): Promise<void> {
  const em = orm.em.fork();
  const account = keyOf(email);
  if ((await em.execute<unknown[]>(take, [account])).length > 0) return;
  const [row] = await em.execute<{ seconds: number }[]>(wait, [account]);
  throw new ServiceError(
    Code.ResourceExhausted,
    "LOGIN_THROTTLED",
    "too many wrong passwords for this account",
    {
      retryAfterMs: Math.max(1, row?.seconds ?? 1) * 1_000,
    },
  );
}

/** The attempt was no guess. */
export async function forgiveAttempt(orm: MikroORM, email: string): Promise<void> {
  await orm.em.fork().execute(giveBack, [keyOf(email)]);
}

/** Forgets accounts whose attempts no longer matter. */
export async function pruneAttempts(orm: MikroORM): Promise<void> {
  await orm.em.fork().execute("delete from login_attempts where greatest(minute_at, hour_at) < now()");
}

/** What people type as an address may be anything, a password included: it is not kept. */
function keyOf(email: string): string {
  return createHash("sha256").update(email).digest("base64url");
}
