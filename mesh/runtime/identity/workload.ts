/**
 * Identity of services. Each workload signs short-lived assertions with its own key, made for one
 * callee and named by a SPIFFE id (in the manner of a JWT-SVID and of RFC 7523); callees know
 * everybody's public keys from the trust bundle.
 */
import { readFile } from "node:fs/promises";
import { Code } from "@connectrpc/connect";
import { createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK, jwtVerify, SignJWT } from "jose";
import { ServiceError } from "../rpc/errors.ts";

/** Header that carries the assertion. Removed from requests that come from outside. */
export const workloadHeader = "x-weft-identity";

const lifeSeconds = 60;
const cacheSize = 256;

/** A workload that can prove who it is and check who others are. */
export interface Workload {
  /** Name in the mesh. */
  readonly name: string;
  /** Assertion for calls to the service `callee`; the same one, without a promise, for up to half its life. */
  assertionFor(callee: string): string | Promise<string>;
  /**
   * Name of the caller that made `assertion` for this workload.
   * @throws ServiceError UNAUTHENTICATED
   */
  verify(assertion: string): Promise<string>;
}

/** Loads the workload `name` with its private key (JWK file) and the trust bundle (JWK set file). */
export async function loadWorkload(
  name: string,
  files: { identityKeyFile: string; trustBundleFile: string; trustDomain: string },
): Promise<Workload> {
  const key = JSON.parse(await readFile(files.identityKeyFile, "utf8")) as JWK;
  const bundle = JSON.parse(await readFile(files.trustBundleFile, "utf8")) as JSONWebKeySet;
  return createWorkload(name, key, bundle, files.trustDomain);
}

/** A workload from its keys. `key.kid` must be `name`. */
export async function createWorkload(
  name: string,
  key: JWK,
  bundle: JSONWebKeySet,
  trustDomain: string,
): Promise<Workload> {
  if (key.kid !== name) throw new Error(`identity: the key belongs to "${key.kid}", not to "${name}"`);
  const privateKey = await importJWK(key, "EdDSA");
  const publicKeys = createLocalJWKSet(bundle);
  const spiffeId = (service: string) => `spiffe://${trustDomain}/ns/default/sa/${service}`;
  const made = new Map<string, { assertion: string; renewAt: number }>();
  const checked = new Map<string, { caller: string; expiresAt: number }>();

  const makeAssertion = async (callee: string): Promise<string> => {
    const renewAt = Date.now() + (lifeSeconds * 1_000) / 2;
    const assertion = await new SignJWT()
      .setProtectedHeader({ alg: "EdDSA", kid: name, typ: "JWT" })
      .setSubject(spiffeId(name))
      .setAudience(spiffeId(callee))
      .setIssuedAt()
      .setExpirationTime(`${lifeSeconds}s`)
      .sign(privateKey);
    made.set(callee, { assertion, renewAt });
    return assertion;
  };

  return {
    name,
    assertionFor(callee) {
      const known = made.get(callee);
      return known && known.renewAt > Date.now() ? known.assertion : makeAssertion(callee);
    },
    async verify(assertion) {
      const hit = checked.get(assertion);
      if (hit && hit.expiresAt > Date.now()) return hit.caller;
      try {
        const { payload, protectedHeader } = await jwtVerify(assertion, publicKeys, {
          algorithms: ["EdDSA"],
          audience: spiffeId(name),
          requiredClaims: ["sub", "exp", "iat"],
          maxTokenAge: lifeSeconds,
          clockTolerance: 5,
        });
        const caller = protectedHeader.kid ?? "";
        if (payload.sub !== spiffeId(caller)) throw new Error("the key does not belong to the subject");
        if (checked.size >= cacheSize) checked.delete(checked.keys().next().value as string);
        checked.set(assertion, { caller, expiresAt: (payload.exp as number) * 1_000 });
        return caller;
      } catch {
        throw new ServiceError(
          Code.Unauthenticated,
          "WORKLOAD_INVALID",
          "the calling service could not be identified",
        );
      }
    },
  };
}
