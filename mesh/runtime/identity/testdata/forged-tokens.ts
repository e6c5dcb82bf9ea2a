/** An issuer of users' tokens, and what makes tokens that are wrong in one way. */
import { createHmac } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const issuer = "https://issuer.test";
export const audience = "library";
export const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
export const stranger = await generateKeyPair("EdDSA", { crv: "Ed25519" });
export const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "EdDSA", use: "sig" };
/** Public keys of the issuer. */
export const jwks = { keys: [jwk] };

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1_000);
export const claims = () => ({
  iss: issuer,
  aud: audience,
  sub: "ann",
  jti: "1",
  iat: now(),
  exp: now() + 300,
  roles: ["reader"],
});

/** A token with claims and header changed; undefined leaves a claim out. */
export function sign(
  change: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: CryptoKey = privateKey,
) {
  const payload = Object.fromEntries(
    Object.entries({ ...claims(), ...change }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "key-1", ...header })
    .sign(key);
}

/** A token whose HMAC is keyed with the issuer's public key (RFC 8725 section 2.1). */
export function hmacWithPublicKey(): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: "HS256", typ: "at+jwt", kid: "key-1" })}.${part(claims())}`;
  return `${input}.${createHmac("sha256", Buffer.from(jwk.x ?? "", "base64url"))
    .update(input)
    .digest("base64url")}`;
}
