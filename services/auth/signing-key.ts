/**
 * Rules of signing keys. A key is published for a day before it signs, so that every cache of the JWK set
 * knows it by then; it signs for 30 days; it stays published until the last token it signed has expired.
 */
const minute = 60 * 1_000;
const day = 24 * 60 * minute;

/** How long a key is published before it signs, in milliseconds. */
export const publishAhead = 1 * day;
/** How long a key signs, in milliseconds. */
export const signFor = 30 * day;
/** How long a key is published after it stopped: a token's life, and room for caches and clocks. */
export const publishAfter = 15 * minute;

/** The times of a key that decide. */
export interface KeyTimes {
  /** From when it signs. */
  readonly activatesAt: Date;
  /** Until when it signs; null while no successor is known. */
  readonly retiresAt?: Date | null;
}

/**
 * The key that signs: the youngest active one. Before any is active, the first to become active: a replica
 * whose clock is behind agrees with the one that made the key.
 */
export function signingKey<K extends KeyTimes>(keys: readonly K[], now: Date): K | undefined {
  const byAge = keys.toSorted((a, b) => a.activatesAt.getTime() - b.activatesAt.getTime());
  return byAge.findLast(({ activatesAt }) => activatesAt <= now) ?? byAge[0];
}

/** Whether tokens of this key may be alive or still to come. */
export function isPublished({ retiresAt }: KeyTimes, now: Date): boolean {
  return !retiresAt || retiresAt.getTime() + publishAfter > now.getTime();
}

/** When a key made at `now` shall sign; undefined while none is needed. */
export function nextActivation(keys: readonly KeyTimes[], now: Date): Date | undefined {
  if (keys.length === 0) return now;
  const newest = Math.max(...keys.map(({ activatesAt }) => activatesAt.getTime()));
  if (newest + signFor - publishAhead > now.getTime()) return undefined;
  return new Date(now.getTime() + publishAhead);
}
