/**
 * Rules of sessions. A session is what RFC 9700 (section 4.14.2) calls a family: all refresh tokens that
 * grew from one login. Each token works once. Showing one again means that two parties hold the session,
 * so it ends for both.
 */
const day = 24 * 60 * 60 * 1_000;

/** A session ends when its newest token has not been used for this long, in milliseconds. */
export const idleLimit = 7 * day;
/** A session ends this long after the login, whatever happens, in milliseconds. */
export const absoluteLimit = 30 * day;

/** The times of a session that decide. */
export interface SessionTimes {
  readonly expiresAt: Date;
  /** Null while the session lives. */
  readonly endedAt?: Date | null;
}

/** When a session ends if the token that it hands out at `now` is never used. */
export function sessionExpiry(startedAt: Date, now: Date): Date {
  return new Date(Math.min(now.getTime() + idleLimit, startedAt.getTime() + absoluteLimit));
}

/** What showing a refresh token leads to. */
export type RefreshVerdict = "rotate" | "reused" | "invalid";

/** @param token.usedAt null while the token is good for one use */
export function judgeRefresh(
  session: SessionTimes,
  token: { readonly usedAt?: Date | null },
  now: Date,
): RefreshVerdict {
  if (token.usedAt) return "reused";
  return session.endedAt || session.expiresAt <= now ? "invalid" : "rotate";
}
