import type { MikroORM } from "@mikro-orm/postgresql";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { isPublished, nextActivation } from "./signing-key.ts";
import { type SigningKey, SigningKeyRow } from "./storage.ts";

/**
 * Makes the first key or the next one when it is time, and forgets keys whose tokens have all expired.
 * Safe to call at any time and from any number of replicas: an advisory lock lets one of them act.
 *
 * @returns all keys there are now
 */
export async function rotateSigningKeys(orm: MikroORM, now = new Date()): Promise<SigningKey[]> {
  return inTransaction(orm, async (tx) => {
    await tx.execute("select pg_advisory_xact_lock(hashtext('auth_signing_keys'))");
    const known = await tx.findAll(SigningKeyRow);
    const keys = known.filter((key) => isPublished(key, now));
    for (const key of known) if (!keys.includes(key)) tx.remove(key);

    const activatesAt = nextActivation(keys, now);
    if (activatesAt) {
      for (const key of keys) key.retiresAt ??= activatesAt;
      keys.push(tx.create(SigningKeyRow, { ...(await newKey()), createdAt: now, activatesAt }));
    }
    return keys;
  });
}

async function newKey() {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  if (!kty || !crv || !x || !d) throw new Error("a new signing key is incomplete");
  return { kid: await calculateJwkThumbprint({ kty, crv, x }), privateJwk: { kty, crv, x, d } };
}
