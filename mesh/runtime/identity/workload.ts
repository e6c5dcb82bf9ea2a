/** Who this process is among the workloads of the mesh, and how it proves that. */
import type { Logger } from "../telemetry/log.ts";
import { type Credentials, openCredentials } from "./credentials.ts";
import type { TrustDomain } from "./spiffe-id.ts";

/**
 * Who proves the identities of workloads: the kit by certificates, or the proxies of a mesh. In Istio's ambient
 * mode the process learns of no identity: the waypoint checks callers, by the configuration made from the contract.
 */
export type MeshKind = "none" | "istio" | "istio-ambient" | "linkerd";

/** A workload. */
export interface Workload extends TrustDomain {
  /** Name in the mesh. */
  readonly name: string;
  readonly mesh: MeshKind;
  /** Its certificate; undefined where a mesh has it in the process's place. */
  readonly credentials: Credentials | undefined;
}

/** Settings of the identity; see mesh/runtime/config.ts. */
export interface IdentitySettings extends TrustDomain {
  readonly mesh: MeshKind;
  readonly identityCertFile: string | undefined;
  readonly identityKeyFile: string | undefined;
  readonly trustBundleFile: string | undefined;
}

/**
 * The workload `name`.
 * @throws Error when a file is missing or the certificate is not a valid one for `name`
 */
export function loadWorkload(
  name: string,
  settings: IdentitySettings,
  log: Pick<Logger, "info" | "warn">,
): Workload {
  const { mesh, trustDomain, namespace, identityCertFile, identityKeyFile, trustBundleFile } = settings;
  const workload = { name, mesh, trustDomain, namespace };
  if (mesh !== "none") return { ...workload, credentials: undefined };
  if (!identityCertFile || !identityKeyFile || !trustBundleFile)
    throw new Error("identity: WEFT_IDENTITY_CERT, WEFT_IDENTITY_KEY and WEFT_TRUST_BUNDLE are required");
  const files = { certificate: identityCertFile, key: identityKeyFile, roots: trustBundleFile };
  try {
    return { ...workload, credentials: openCredentials(name, settings, files, log) };
  } catch (error) {
    throw new Error(`identity: ${(error as Error).message}`);
  }
}
