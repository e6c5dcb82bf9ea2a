/** Keys of two workloads and of an issuer of access tokens, handed to the processes through their environment. */
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, SignJWT } from "jose";
import { createUserVerifier, type VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import { createWorkload, type Workload } from "#mesh/runtime/identity/workload.ts";

interface Keys {
  readonly workloads: Record<string, JWK>;
  readonly bundle: JSONWebKeySet;
  readonly users: JSONWebKeySet;
  /** Value of the header Authorization. */
  readonly authorization: string;
}

const issuer = "https://issuer.test";
const audience = "library";

/** Environment for the processes of a run. */
export async function createKeys(): Promise<{ BENCH_KEYS: string }> {
  const workloads: Record<string, JWK> = {};
  const bundle: JSONWebKeySet = { keys: [] };
  for (const kid of ["edge", "library"]) {
    const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    workloads[kid] = { ...(await exportJWK(pair.privateKey)), kid };
    bundle.keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg: "EdDSA" });
  }
  const users = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const token = await new SignJWT({ roles: ["reader"], client_id: "bench" })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "key-1" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject("0197c0de-1111-7000-8000-000000000001")
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime("14m")
    .sign(users.privateKey);
  const jwk = { ...(await exportJWK(users.publicKey)), kid: "key-1", alg: "EdDSA", use: "sig" };
  const keys: Keys = { workloads, bundle, users: { keys: [jwk] }, authorization: `Bearer ${token}` };
  return { BENCH_KEYS: JSON.stringify(keys) };
}

const keys = (): Keys => JSON.parse(process.env.BENCH_KEYS ?? "");

/** Of the process that asks. */
export function workload(name: string): Promise<Workload> {
  const { workloads, bundle } = keys();
  return createWorkload(name, workloads[name] as JWK, bundle, "weft.local");
}

export function userVerifier(): VerifyUser {
  const options = { jwksUrl: "http://unused.test", issuer, audience, keys: createLocalJWKSet(keys().users) };
  return createUserVerifier(options);
}

export function authorization(): string {
  return keys().authorization;
}
