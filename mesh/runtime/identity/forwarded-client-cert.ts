/**
 * Header x-forwarded-client-cert, in which Envoy tells whose certificates it has checked: one element for each
 * proxy that the request came through, the nearest last.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
import { nameIn, spiffeId, type TrustDomain } from "./spiffe-id.ts";

/** Longest header that is read, in characters. */
const maxLength = 8_192;

/** KEY=VALUE, the value in quotes where it has characters of the format itself; then what ends it. */
const pair = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;=]*)([;,]|$)/y;

/**
 * Name of the caller by the last element, which our own proxy has written: what stands before it came with the
 * request. The element must be for us (By) and have one URI, the caller's SPIFFE id.
 *
 * @param self name of this workload
 * @throws Error that says what is wrong with it, for the log
 */
export function nameInForwardedCert(header: string, self: string, domain: TrustDomain): string {
  if (header.length > maxLength) throw new Error("x-forwarded-client-cert is too long");
  const element = lastElement(header);
  const valuesOf = (key: string) => element.filter(([name]) => name === key).map(([, value]) => value);
  const by = valuesOf("by");
  if (by.length !== 1 || by[0] !== spiffeId(self, domain))
    throw new Error("x-forwarded-client-cert was not written for this workload");
  const uris = valuesOf("uri");
  if (uris.length !== 1) throw new Error(`x-forwarded-client-cert has ${uris.length} URIs in place of one`);
  const name = nameIn(uris[0]!, domain);
  if (name === undefined) throw new Error(`${uris[0]!.slice(0, 200)} is no workload of this mesh`);
  return name;
}

/** @throws Error when the header is not wholly of the format */
function lastElement(header: string): [key: string, value: string][] {
  let element: [string, string][] = [];
  // Between elements a space may stand: proxies and HTTP libraries join headers of one name with it.
  const text = header.replace(/, (?=By=)/gi, ",");
  for (pair.lastIndex = 0; ; ) {
    const [, key, value, end] = pair.exec(text) ?? [];
    if (key === undefined) throw new Error("x-forwarded-client-cert cannot be read");
    element.push([key.toLowerCase(), unquoted(value!)]);
    if (end === "" && pair.lastIndex === text.length) return element;
    if (end === ",") element = [];
  }
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
