/** Validates users' access tokens locally (RFC 9068, RFC 8725) against cached public keys. */
import { Code } from "@connectrpc/connect";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { ServiceError } from "../rpc/errors.ts";
import type { Principal } from "./principal.ts";
import type { Revocations } from "./revocations.ts";

/** Longest life of an access token that is accepted, whatever it says of itself, in seconds. */
export const maxTokenLifeSeconds = 15 * 60;
const maxTokenBytes = 4_096;
const cacheSize = 1_000;
/** After keys could not be read they are left alone for this long, in milliseconds: each token would ask again. */
const pauseAfterFailureMs = 1_000;

/** Keys that cannot be read again count for this long, in milliseconds: new ones are published a day ahead. */
const keysCountMs = 60 * 60_000;

/** Errors that say nothing about the token: the keys could not be fetched or read. */
const aboutKeys: ReadonlySet<string> = new Set([
  "ERR_JOSE_GENERIC",
  "ERR_JWKS_TIMEOUT",
  "ERR_JWKS_INVALID",
  "ERR_JWK_INVALID",
]);

/**
 * Checks a value of the header Authorization. A token that was checked before and has not expired is
 * answered at once, without a promise; whoever only awaits need not care.
 */
export type VerifyUser = (authorization: string) => Principal | Promise<Principal>;

/**
 * @param jwksUrl where the issuer's public keys are; fetched at most once in 30 s for unknown key ids
 * @returns a function that yields the principal, or throws ServiceError UNAUTHENTICATED
 */
export function createUserVerifier(options: {
  jwksUrl: string;
  issuer: string;
  audience: string;
  /** Keys to use in place of `jwksUrl`. */
  keys?: JWTVerifyGetKey;
  /** How `jwksUrl` is read; the platform's fetch when left out. */
  fetch?: FetchImplementation;
  /** Tokens that are void before their time. */
  revocations?: Pick<Revocations, "isRevoked">;
}): VerifyUser {
  const keys =
    options.keys ??
    lastKnown(
      createRemoteJWKSet(new URL(options.jwksUrl), {
        cooldownDuration: 30_000,
        cacheMaxAge: 600_000,
        timeoutDuration: 2_000,
        [customFetch]: pausingAfterFailures(options.fetch ?? fetch),
      }),
    );
  const { revocations } = options;
  const verified = new Map<string, Verified>();

  const check = async (authorization: string): Promise<Principal> => {
    const token = bearerToken(authorization);
    const payload = await verify(token, keys, options);
    const { iat, exp } = payload as { iat: number; exp: number };
    const entry = { principal: principalOf(payload), issuedAt: iat, expiresAt: exp * 1_000 };
    if (verified.size >= cacheSize) verified.delete(verified.keys().next().value as string);
    verified.set(authorization, entry);
    return unlessRevoked(entry);
  };
  const unlessRevoked = ({ principal, issuedAt }: Verified): Principal => {
    if (revocations?.isRevoked(principal.id, issuedAt))
      throw new ServiceError(
        Code.Unauthenticated,
        "TOKEN_REVOKED",
        "the access token is not valid any more; sign in again",
      );
    return principal;
  };

  return (authorization) => {
    const hit = verified.get(authorization);
    return hit && hit.expiresAt > Date.now() ? unlessRevoked(hit) : check(authorization);
  };
}

/**
 * Keys that are due to be read again go on to be used meanwhile, so that nobody waits for that and the issuer may be
 * away for a while. Only a key that is not among them is waited for.
 */
function lastKnown(keys: ReturnType<typeof createRemoteJWKSet>): JWTVerifyGetKey {
  let spare: JWTVerifyGetKey | undefined;
  let spareUntil = 0;
  return async (header, token) => {
    if (!keys.fresh && Date.now() < spareUntil) {
      spare ??= createLocalJWKSet(keys.jwks()!);
      void keys.reload().catch(() => {}); // told by the next one who needs it
      try {
        return await spare(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      }
    }
    try {
      return await keys(header, token);
    } finally {
      if (keys.fresh) {
        spare = undefined;
        spareUntil = Date.now() + keysCountMs;
      }
    }
  };
}

function pausingAfterFailures(read: FetchImplementation): FetchImplementation {
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (url, options) => {
    if (performance.now() - failedAt < pauseAfterFailureMs)
      throw new Error("the keys could not be read a moment ago");
    try {
      const response = await read(url, options);
      if (!response.ok) failedAt = performance.now();
      return response;
    } catch (error) {
      failedAt = performance.now();
      throw error;
    }
  };
}

/** A token that was good when it was checked. Times in seconds and milliseconds since 1970. */
interface Verified {
  readonly principal: Principal;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

function bearerToken(authorization: string): string {
  const match = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization);
  if (!match?.[1] || match[1].length > maxTokenBytes)
    throw invalid("the header Authorization must be: Bearer TOKEN");
  return match[1];
}

async function verify(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience }: { issuer: string; audience: string },
): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer,
      audience,
      clockTolerance: 5,
      requiredClaims: ["sub", "iat", "exp", "jti"],
      maxTokenAge: maxTokenLifeSeconds,
    });
    if (!/^[\w-]{1,64}$/.test(protectedHeader.kid ?? "")) throw invalid("the access token is not valid");
    if ((payload.exp as number) - (payload.iat as number) > maxTokenLifeSeconds)
      throw invalid("the access token lives too long");
    return payload;
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    if (error instanceof errors.JWTExpired)
      throw new ServiceError(Code.Unauthenticated, "TOKEN_EXPIRED", "the access token has expired");
    if (error instanceof errors.JOSEError && !aboutKeys.has(error.code))
      throw invalid("the access token is not valid");
    throw new ServiceError(
      Code.Unavailable,
      "KEYS_UNAVAILABLE",
      "the keys of access tokens cannot be read now",
    );
  }
}

function principalOf(payload: JWTPayload): Principal {
  const roles = payload.roles;
  const valid =
    typeof payload.sub === "string" &&
    payload.sub !== "" &&
    Array.isArray(roles) &&
    roles.every((r) => typeof r === "string");
  if (!valid) throw invalid("the access token is not valid");
  const clientId = typeof payload.client_id === "string" ? payload.client_id : undefined;
  return { id: payload.sub as string, roles: roles as string[], clientId };
}

function invalid(message: string): ServiceError {
  return new ServiceError(Code.Unauthenticated, "TOKEN_INVALID", message);
}
