import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

/** Never cross the gateway: they belong to one connection (RFC 9110 7.6.1), to the HTTP message or to gRPC itself. */
const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "accept-encoding",
  "expect",
  "date",
]);
const REQUEST_ONLY = new Set([
  "x-server-timeout",
  "connect-protocol-version",
  "connect-timeout-ms",
  "connect-accept-encoding",
]);
/** Headers a response must not take from an upstream's metadata because the gateway sets them itself. */
const RESPONSE_OWN = new Set(["vary", "www-authenticate"]);

/** node:http2 sends these once only and throws when given a list, so a repeated one goes as one line. */
const ONE_LINE = new Set(
  `access-control-allow-credentials access-control-max-age access-control-request-method age authorization
  content-language content-location content-md5 content-range dnt etag expires from if-match if-modified-since
  if-none-match if-range if-unmodified-since last-modified location max-forwards range referer retry-after tk
  upgrade-insecure-requests user-agent x-content-type-options`.split(/\s+/),
);

const NAME = /^[0-9a-z_.-]+$/;
const NOT_ASCII_VALUE = /[^\x20-\x7e]/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}(?:,\s*[A-Za-z0-9+/_-]*={0,2})*$/;

/** A dictionary that inherits nothing and that the engine keeps in its fast form; `{ __proto__: null }` it does not. */
class Dictionary {
  [name: string]: OutgoingHttpHeaders[string];
}
Object.setPrototypeOf(Dictionary.prototype, null);
Reflect.deleteProperty(Dictionary.prototype, "constructor");

/** Names as they came → names in metadata, "" for those left out. Bounded, for what clients really send. */
const knownNames = new Map<string, string>();
const MOST_KNOWN = 500;

/**
 * HTTP request headers as gRPC metadata: unprefixed, without hop-by-hop headers (those named in
 * `Connection` too) and `grpc-*`. A header metadata cannot carry is left out.
 * @param rawHeaders names and values alternating, as Node gives them
 */
export function requestMetadata(
  rawHeaders: readonly string[],
  connection: string | undefined,
): OutgoingHttpHeaders {
  const metadata: OutgoingHttpHeaders = new Dictionary();
  const named = connection
    ? connection
        .toLowerCase()
        .split(",")
        .map((name) => name.trim())
    : undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = knownNames.get(rawHeaders[i]!) ?? metadataName(rawHeaders[i]!);
    if (name === "" || named?.includes(name)) continue;
    const value = rawHeaders[i + 1]!;
    if (!isMetadataValue(name, value)) continue;
    const before = metadata[name];
    if (before === undefined) metadata[name] = value;
    else if (ONE_LINE.has(name)) metadata[name] = `${before}, ${value}`;
    else metadata[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
  }
  return metadata;
}

function metadataName(raw: string): string {
  const name = raw.toLowerCase();
  const carried =
    NAME.test(name) && !NOT_FORWARDED.has(name) && !REQUEST_ONLY.has(name) && !name.startsWith("grpc-");
  if (knownNames.size < MOST_KNOWN && raw.length < 100) knownNames.set(raw, carried ? name : "");
  return carried ? name : "";
}

function isMetadataValue(name: string, value: string): boolean {
  return name.endsWith("-bin") ? BASE64.test(value) : !NOT_ASCII_VALUE.test(value);
}

/** Answer metadata as HTTP response headers, unprefixed; what would break the response is left out. */
export function responseHeaders(metadata: IncomingHttpHeaders, into: OutgoingHttpHeaders, prefix = ""): void {
  for (const name in metadata) {
    if (name.startsWith(":") || name.startsWith("grpc-") || NOT_FORWARDED.has(name)) continue;
    const value = metadata[name];
    if (value === undefined || (prefix === "" && RESPONSE_OWN.has(name) && into[name] !== undefined))
      continue;
    if (Array.isArray(value) ? value.some((one) => NOT_ASCII_VALUE.test(one)) : NOT_ASCII_VALUE.test(value))
      continue;
    into[prefix + name] = value;
  }
}
