/**
 * The generic cell rate algorithm (ITU-T I.371): a whole rate limit in one number, the theoretical arrival
 * time (TAT) of the next request if all came evenly. All times in milliseconds.
 */
export interface Gcra {
  /** Time between two requests of an even flow. */
  readonly intervalMs: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

/** What becomes of one request. */
export interface Decision {
  readonly allowed: boolean;
  /** TAT to remember; that of before when the request is refused, so refusals cost their sender nothing. */
  readonly tat: number;
  /** Requests that may still come now. */
  readonly remaining: number;
  /** Time until all of the burst is there again. */
  readonly resetMs: number;
  /** Time until the next request may come; 0 where one may now. */
  readonly retryAfterMs: number;
}

/** @param known TAT of the requests before; undefined without any, or when it may be forgotten */
export function decide({ intervalMs, burst }: Gcra, known: number | undefined, now: number): Decision {
  const before = Math.max(known ?? now, now);
  const capacity = intervalMs * burst;
  const after = before + intervalMs;
  // Divisions of times are not exact; a millionth of an interval must not cost a request.
  const slack = intervalMs * 1e-6;
  if (after - now > capacity + slack) {
    return {
      allowed: false,
      tat: before,
      remaining: 0,
      resetMs: before - now,
      retryAfterMs: after - now - capacity,
    };
  }
  return {
    allowed: true,
    tat: after,
    remaining: Math.floor((capacity + slack - (after - now)) / intervalMs),
    resetMs: after - now,
    retryAfterMs: 0,
  };
}
