/** Certificates of two workloads and an issuer of access tokens, handed to the processes through their environment. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";
import { type IdentityFiles, openIdentities } from "#local/identities.ts";
import { createUserVerifier, type VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import { loadWorkload, type Workload } from "#mesh/runtime/identity/workload.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";

interface Keys {
  readonly certificates: Record<string, IdentityFiles>;
  readonly roots: string;
  readonly users: JSONWebKeySet;
  /** Value of the header Authorization. */
  readonly authorization: string;
}

const issuer = "https://issuer.test";
const audience = "library";
const trustDomain = "weft.local";

/** Environment for the processes of a run. @param tls whether they use mutual TLS */
export async function createKeys(tls: boolean): Promise<{ BENCH_KEYS: string; BENCH_TLS: string }> {
  const folder = mkdtempSync(join(tmpdir(), "weft-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  const authority = await openIdentities(folder, trustDomain);
  const certificates: Keys["certificates"] = {};
  for (const name of ["edge", "library"]) certificates[name] = await authority.issue(name);
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
  const keys: Keys = {
    certificates,
    roots: authority.bundle,
    users: { keys: [jwk] },
    authorization: `Bearer ${token}`,
  };
  return { BENCH_KEYS: JSON.stringify(keys), BENCH_TLS: tls ? "on" : "off" };
}

const keys = (): Keys => JSON.parse(process.env.BENCH_KEYS ?? "");

export const usesTls = process.env.BENCH_TLS === "on";

/** "https" or "http". */
export const scheme = usesTls ? "https" : "http";

/** Certificate, key and roots of a workload, for peers that are not ours. */
export function tlsFiles(name: string): { cert: Buffer; key: Buffer; ca: Buffer } {
  const { certificates, roots } = keys();
  const { certificate, key } = certificates[name]!;
  return { cert: readFileSync(certificate), key: readFileSync(key), ca: readFileSync(roots) };
}

/** Without TLS, as one behind a mesh's proxy. */
export function workload(name: string): Workload {
  const { certificates, roots } = keys();
  const { certificate, key } = certificates[name]!;
  const settings = {
    mesh: usesTls ? ("none" as const) : ("linkerd" as const),
    identityCertFile: certificate,
    identityKeyFile: key,
    trustBundleFile: roots,
    trustDomain,
    namespace: "default",
  };
  return loadWorkload(name, settings, createLogger(name, "silent"));
}

export function userVerifier(): VerifyUser {
  const options = { jwksUrl: "http://unused.test", issuer, audience, keys: createLocalJWKSet(keys().users) };
  return createUserVerifier(options);
}

export function authorization(): string {
  return keys().authorization;
}
