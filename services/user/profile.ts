/** Rules of profiles: what is left out stays, what is given replaces. */
import { Code } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

/** A postal address as it is kept. */
export interface PostalAddress {
  readonly label: string;
  readonly lines: readonly string[];
  readonly city: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string;
}

/** What a user may change. Undefined: stays as it is. */
export interface ProfileChanges {
  /** May be empty. */
  readonly displayName?: string | undefined;
  /** All addresses there shall be, the preferred one first. May be empty. */
  readonly addresses?: readonly PostalAddress[] | undefined;
}

/** The part of a profile that changes. */
export interface ChangingProfile {
  displayName: string;
  addresses: PostalAddress[];
  updatedAt: Date;
}

/** Applies changes; without any, the profile stays untouched, its time included. */
export function applyChanges(
  profile: ChangingProfile,
  { displayName, addresses }: ProfileChanges,
  now: Date,
): void {
  if (displayName === undefined && addresses === undefined) return;
  if (displayName !== undefined) profile.displayName = displayName;
  if (addresses !== undefined) profile.addresses = [...addresses];
  profile.updatedAt = now;
}

/** There is no such user, or the registration has not arrived yet. */
export function profileNotFound(): ServiceError {
  return new ServiceError(Code.NotFound, "USER_NOT_FOUND", "nothing is known of this user");
}
