/** X.509 certificates of workloads (SPIFFE X509-SVID) and of the authority that signs them: ECDSA P-256, PEM. */
import "reflect-metadata"; // @peculiar/x509 does not load without it
import { createPrivateKey, KeyObject, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A certificate and its private key (PKCS #8), as PEM. */
export type KeyPair = { certificate: string; key: string };

/** Times between which a certificate is valid. */
export type Validity = { notBefore: Date; notAfter: Date };

/** What a certificate of a workload says of it. */
export type Subject = {
  /** Subject alternative names of the kind URI; a workload has one, its SPIFFE id. */
  uris: string[];
  /** DNS names and IP addresses, for clients that look at nothing else. */
  dnsNames?: string[];
  addresses?: string[];
  /** Distinguished name; SPIFFE puts nothing there. */
  distinguishedName?: string;
};

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A root that may sign certificates of workloads, but no further authorities. */
export async function createRoot(trustDomain: string, { notBefore, notAfter }: Validity): Promise<KeyPair> {
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${trustDomain} authority, O=weft`,
    notBefore,
    notAfter,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pem(root, keys);
}

/** A certificate with a key of its own, for both ends of a connection. */
export async function issueCertificate(
  root: KeyPair,
  { uris, dnsNames = [], addresses = [], distinguishedName = "" }: Subject,
  { notBefore, notAfter }: Validity,
): Promise<KeyPair> {
  const authority = new x509.X509Certificate(root.certificate);
  const keys = await newKeys();
  const names: x509.JsonGeneralName[] = [
    ...uris.map((value) => ({ type: "url" as const, value })),
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...addresses.map((value) => ({ type: "ip" as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    subject: distinguishedName,
    issuer: authority.subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: await signingKey(root.key),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      // Critical where the subject is empty (RFC 5280, section 4.2.1.6).
      ...(names.length > 0
        ? [new x509.SubjectAlternativeNameExtension(names, distinguishedName === "")]
        : []),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pem(certificate, keys);
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

function signingKey(key: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  return crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
}

function pem(certificate: x509.X509Certificate, { privateKey }: webcrypto.CryptoKeyPair): KeyPair {
  const key = KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }) as string;
  return { certificate: `${certificate.toString("pem")}\n`, key };
}
