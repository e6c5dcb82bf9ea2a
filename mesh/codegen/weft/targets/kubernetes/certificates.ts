/**
 * Mutual TLS by the processes themselves, for a cluster without a mesh: a certificate for each workload, which
 * cert-manager renews, and where its process finds it.
 */
import type { MeshOptions } from "../../options.ts";
import type { Patch } from "../../output/kustomization.ts";
import { hostOf, type Resource, resource } from "../../output/resource.ts";
import { tokenIssuer } from "./token-issuer.ts";
import type { Workload } from "./workload.ts";

/** Where the certificate is mounted, and the Issuer of the namespace that signs it. */
const FOLDER = "/var/run/weft/identity";
const ISSUER = "internal";

/** A certificate with the workload's SPIFFE id: a day of life, renewed after half of it, each time with a new key. */
export function certificate(name: string, options: MeshOptions): Resource {
  return resource(
    options,
    "cert-manager.io/v1 Certificate",
    { name, workload: name },
    {
      spec: {
        secretName: certificateSecret(name),
        duration: "24h",
        renewBefore: "12h",
        uris: [`spiffe://${options.trustDomain}/ns/${options.namespace}/sa/${name}`],
        dnsNames: [hostOf(name, options)],
        usages: ["digital signature", "server auth", "client auth"],
        privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
        issuerRef: { kind: "Issuer", name: ISSUER },
      },
    },
  );
}

/** Gives the certificate to the workload's process. */
export function mountCertificate({ name }: Workload, options: MeshOptions): Patch {
  const issuer = tokenIssuer(options);
  const env = {
    WEFT_IDENTITY_CERT: `${FOLDER}/tls.crt`,
    WEFT_IDENTITY_KEY: `${FOLDER}/tls.key`,
    WEFT_TRUST_BUNDLE: `${FOLDER}/ca.crt`,
    // Keys of users' tokens are read by mutual TLS, too, where a service of the namespace has them.
    ...(issuer && { WEFT_JWKS_SERVICE: issuer }),
  };
  const container = {
    name,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    volumeMounts: [{ name: "identity", mountPath: FOLDER, readOnly: true }],
  };
  const volume = { name: "identity", secret: { secretName: certificateSecret(name), defaultMode: 0o440 } };
  const change = { spec: { template: { spec: { containers: [container], volumes: [volume] } } } };
  return { kind: "Deployment", name, change };
}

function certificateSecret(name: string): string {
  return `${name}-certificate`;
}
