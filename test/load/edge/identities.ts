/** An issuer of access tokens and one token: what a gateway needs to check who calls. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const ISSUER = "https://issuer.test";
const AUDIENCE = "library";

export interface Identities {
  /** Settings of the mesh runtime's identity. */
  readonly env: Readonly<Record<string, string>>;
  readonly issuer: string;
  readonly audience: string;
  /** JWK set of the issuer, as text. */
  readonly jwks: string;
  /** Value of the header Authorization; valid for 14 minutes. */
  authorization(): Promise<string>;
  stop(): Promise<void>;
}

export async function createIdentities(): Promise<Identities> {
  const issuer = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = { ...(await exportJWK(issuer.publicKey)), kid: "key-1", alg: "EdDSA", use: "sig" };
  const jwks = JSON.stringify({ keys: [jwk] });
  const server = createServer((_, response) =>
    response.setHeader("content-type", "application/json").end(jwks),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks,
    env: {
      // The upstream speaks plaintext, as behind a mesh's proxy; TLS is bench:rpc's to measure.
      WEFT_MESH: "linkerd",
      WEFT_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
      WEFT_TOKEN_ISSUER: ISSUER,
      WEFT_TOKEN_AUDIENCE: AUDIENCE,
    },
    async authorization() {
      const token = await new SignJWT({ roles: ["reader"], client_id: "bench" })
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "key-1" })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject("0197c0de-1111-7000-8000-000000000001")
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime("14m")
        .sign(issuer.privateKey);
      return `Bearer ${token}`;
    },
    async stop() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
