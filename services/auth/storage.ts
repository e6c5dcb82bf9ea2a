/** Tables of auth. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import { Migration20261127000000LoginAttempts } from "./migrations/20261127000000-login-attempts.ts";
import { Migration20261127210000Revocations } from "./migrations/20261127210000-revocations.ts";

/** Who may sign in. */
export const AccountRow = defineEntity({
  name: "Account",
  tableName: "accounts",
  properties: {
    id: p.uuid().primary(),
    email: p.text(),
    /** PHC string. */
    passwordHash: p.text(),
    roles: p.json<string[]>(),
    createdAt: p.datetime(),
    /** Access tokens issued before it are void; a whole second, as tokens have no finer times. */
    tokensVoidBefore: p.datetime().nullable(),
    /** Whether every process has been told of that. */
    revocationAnnounced: p.boolean().default(true),
  },
});

/** A login and all refresh tokens that grew from it. */
export const SessionRow = defineEntity({
  name: "Session",
  tableName: "sessions",
  properties: {
    id: p.uuid().primary(),
    userId: p.uuid(),
    startedAt: p.datetime(),
    expiresAt: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
});

/** A refresh token; used ones are kept as long as their session, so that their reuse is noticed. */
export const RefreshTokenRow = defineEntity({
  name: "RefreshToken",
  tableName: "refresh_tokens",
  properties: {
    /** SHA-256, base64url. */
    hash: p.text().primary(),
    sessionId: p.uuid(),
    createdAt: p.datetime(),
    usedAt: p.datetime().nullable(),
  },
});

/** A key that signs access tokens. */
export const SigningKeyRow = defineEntity({
  name: "SigningKey",
  tableName: "signing_keys",
  properties: {
    /** JWK thumbprint (RFC 7638). */
    kid: p.text().primary(),
    privateJwk: p.json<{ kty: string; crv: string; x: string; d: string }>(),
    createdAt: p.datetime(),
    activatesAt: p.datetime(),
    retiresAt: p.datetime().nullable(),
  },
});

export type Account = InferEntity<typeof AccountRow>;
export type Session = InferEntity<typeof SessionRow>;
export type RefreshToken = InferEntity<typeof RefreshTokenRow>;
export type SigningKey = InferEntity<typeof SigningKeyRow>;

export const storage: Storage = {
  entities: [AccountRow, SessionRow, RefreshTokenRow, SigningKeyRow, ...eventEntities],
  migrations: [
    Migration20261122000000Initial,
    Migration20261127000000LoginAttempts,
    Migration20261127210000Revocations,
  ],
};

/** Locks an account against changes, and against logins that are under way; null when there is none. */
export function lockAccount(tx: EntityManager, id: string): Promise<Account | null> {
  return tx.findOne(AccountRow, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Locks a refresh token, always before its session; null when there is none with this hash. */
export function lockRefreshToken(tx: EntityManager, hash: string): Promise<RefreshToken | null> {
  return tx.findOne(RefreshTokenRow, { hash }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Locks a session; null when it is forgotten. */
export function lockSession(tx: EntityManager, id: string): Promise<Session | null> {
  return tx.findOne(SessionRow, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
