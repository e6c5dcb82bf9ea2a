import { createHash, randomBytes } from "node:crypto";

/** An opaque token of 256 random bits, base64url. */
export function newRefreshToken(): string {
  return randomBytes(32).toString("base64url");
}

/** The form in which a token is stored. No salt or slow hash: nobody can guess 256 random bits. */
export function hashRefreshToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
