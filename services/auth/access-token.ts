/** Access tokens: JWTs by the profile of RFC 9068, signed with EdDSA (RFC 8037). */
import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { AuthConfig } from "./config.ts";
import type { Keyring } from "./keyring.ts";

/** Life of an access token, in seconds. */
export const accessTokenLife = 300;
/** Services refuse longer ones. */
const maxBytes = 4_096;
/** Claim `client_id` (RFC 9068, section 2.2): the shop's own pages and tools are the only client so far. */
const clientId = "shop";

/** Makes access tokens. */
export interface AccessTokens {
  /**
   * A token issued at `at`, now by default, but not before what is void for the user.
   * @throws Error when the roles make the token larger than services accept
   */
  issue(
    user: { id: string; roles: readonly string[]; tokensVoidBefore?: Date | null },
    at?: Date,
  ): Promise<string>;
}

export function createAccessTokens({ issuer, audience }: AuthConfig, keyring: Keyring): AccessTokens {
  return {
    async issue({ id, roles, tokensVoidBefore }, at = new Date()) {
      const { kid, key } = await keyring.signing();
      const issuedAt = Math.floor(Math.max(at.getTime(), tokensVoidBefore?.getTime() ?? 0) / 1_000);
      const token = await new SignJWT({ client_id: clientId, roles: [...roles] })
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(id)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + accessTokenLife)
        .sign(key);
      if (token.length > maxBytes) throw new Error(`the access token of user ${id} is too large`);
      return token;
    },
  };
}
