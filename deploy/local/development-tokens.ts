/**
 * Users' access tokens of a system in which no service issues them yet: the runner has a key of its own, and whoever
 * may read its data may be anybody. In a cluster the tokens come from an identity provider.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SignJWT } from "jose";
import { v7 as uuidv7 } from "uuid";
import { maxTokenLifeSeconds } from "#mesh/runtime/identity/user-token.ts";
import type { Tokens } from "./topology.ts";

const keyFile = (dataDir: string) => join(dataDir, "identity", "tokens.key.pem");

/**
 * Makes the key unless it is there (mode 0600).
 * @returns the public key as a JWK Set (RFC 7517) in a data URL (RFC 2397): nobody needs to serve it
 */
export function ensureTokenKeys(dataDir: string): string {
  const file = keyFile(dataDir);
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  }
  const key = readKey(dataDir);
  const jwk = createPublicKey(key).export({ format: "jwk" });
  const keys = [{ ...jwk, kid: idOf(key), alg: "EdDSA", use: "sig" }];
  return `data:application/json,${encodeURIComponent(JSON.stringify({ keys }))}`;
}

/**
 * Signs a token, with the longest life that services accept.
 * @param user whose token it is: `id` becomes its subject
 * @throws Error when there is no key in `dataDir`
 */
export async function issueToken(
  dataDir: string,
  { issuer, audience }: Tokens,
  { id, roles }: { id: string; roles: readonly string[] },
): Promise<string> {
  const key = readKey(dataDir);
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: idOf(key) })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(id)
    .setJti(uuidv7())
    .setIssuedAt()
    .setExpirationTime(`${maxTokenLifeSeconds}s`)
    .sign(key);
}

function readKey(dataDir: string): KeyObject {
  return createPrivateKey(readFileSync(keyFile(dataDir)));
}

function idOf(key: KeyObject): string {
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  return createHash("sha256").update(publicKey).digest("base64url");
}
