import type { X509Certificate } from "node:crypto";
import { nameIn, type TrustDomain } from "./spiffe-id.ts";

/** One subject alternative name in the form that Node prints: TYPE:value, with a JSON string where needed. */
const alternativeName = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

/**
 * Name of the workload that a certificate is for, by the rules of SPIFFE's X509-SVID: exactly one URI, which is
 * the id; no authority's certificate. Common names and DNS names say nothing. The chain is checked elsewhere.
 *
 * @throws Error that says what is wrong with it, for the log
 */
export function nameInCertificate(certificate: X509Certificate, domain: TrustDomain): string {
  if (certificate.ca) throw new Error("the certificate is an authority's");
  const uris = urisIn(certificate.subjectAltName ?? "");
  if (uris.length !== 1) throw new Error(`the certificate has ${uris.length} URIs in place of one SPIFFE id`);
  const name = nameIn(uris[0]!, domain);
  if (name === undefined) throw new Error(`${uris[0]!.slice(0, 200)} is no workload of this mesh`);
  return name;
}

/** @throws Error for text that is not wholly understood: what cannot be read might be another URI */
function urisIn(names: string): string[] {
  const uris: string[] = [];
  alternativeName.lastIndex = 0;
  while (alternativeName.lastIndex < names.length) {
    const [, type, value] = alternativeName.exec(names) ?? [];
    if (type === undefined) throw new Error("the certificate's alternative names cannot be read");
    // A value in quotes has characters that no SPIFFE id has.
    if (type === "URI") uris.push(value!);
  }
  return uris;
}
