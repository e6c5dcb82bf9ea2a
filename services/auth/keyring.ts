/** The signing keys as one process uses them: read from the database once a minute. */
import type { MikroORM } from "@mikro-orm/postgresql";
import { type CryptoKey, importJWK } from "jose";
import { rotateSigningKeys } from "./rotate-signing-keys.ts";
import { isPublished, signingKey } from "./signing-key.ts";
import { type SigningKey, SigningKeyRow } from "./storage.ts";

/** Keys change a day ahead (signing-key.ts), so a minute of delay harms nobody. In milliseconds. */
const cacheFor = 60_000;

/** A public key as the contract's Jwk has it. */
export interface PublicJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly kid: string;
  readonly alg: string;
  readonly use: string;
}

/** Reads signing keys; makes the first one when there is none. */
export interface Keyring {
  /** The key that signs now. */
  signing(): Promise<{ kid: string; key: CryptoKey }>;
  /** All keys that a valid token may name, now or within a day. */
  published(): Promise<PublicJwk[]>;
}

/** @param clock milliseconds since 1970 */
export function createKeyring(orm: MikroORM, clock: () => number = Date.now): Keyring {
  let lastRead: SigningKey[] | undefined;
  let cached: { keys: Promise<SigningKey[]>; until: number } | undefined;
  let imported: { kid: string; key: CryptoKey } | undefined;

  const read = async () => {
    try {
      const keys = await orm.em.fork().findAll(SigningKeyRow);
      lastRead = keys.length > 0 ? keys : await rotateSigningKeys(orm, new Date(clock()));
    } catch (error) {
      // While the database is away, tokens can still be checked with the keys that were there before.
      if (!lastRead) throw error;
    }
    return lastRead;
  };
  const keys = (): Promise<SigningKey[]> => {
    if (cached && cached.until > clock()) return cached.keys;
    const reading = { keys: read(), until: clock() + cacheFor };
    reading.keys.catch(() => {
      if (cached === reading) cached = undefined;
    });
    cached = reading;
    return reading.keys;
  };

  return {
    async signing() {
      const current = signingKey(await keys(), new Date(clock()));
      if (!current) throw new Error("there is no signing key");
      const { kid, privateJwk } = current;
      if (imported?.kid !== kid) imported = { kid, key: (await importJWK(privateJwk, "EdDSA")) as CryptoKey };
      return imported;
    },
    async published() {
      const now = new Date(clock());
      return (await keys()).filter((key) => isPublished(key, now)).map(publicJwk);
    },
  };
}

function publicJwk({ kid, privateJwk: { kty, crv, x } }: SigningKey): PublicJwk {
  return { kty, crv, x, kid, alg: "EdDSA", use: "sig" };
}
