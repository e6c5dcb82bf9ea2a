import type { IncomingHttpHeaders } from "node:http";
import { Code, StatusError } from "./status.ts";

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
/** Spaces belong to what follows them and to nothing else: where both could take them, a text could try all ways. */
const RANGE = new RegExp(
  `^(${TOKEN})/(${TOKEN})((?:\\s*;(?:\\s*${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))?)*)$`,
);
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

export const JSON_TYPE = "application/json";
export const NDJSON_TYPE = "application/x-ndjson";
export const SSE_TYPE = "text/event-stream";

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly q: number;
}

/** Ranges of an Accept header (RFC 9110 12.5.1); undefined when it does not parse and so counts as absent. */
function parseAccept(header: string): MediaRange[] | undefined {
  const ranges: MediaRange[] = [];
  for (const part of splitList(header)) {
    const match = RANGE.exec(part);
    if (!match) return undefined;
    const q = /;\s*q=([^\s;]*)/i.exec(match[3]!)?.[1] ?? "1";
    if (!QUALITY.test(q)) return undefined;
    ranges.push({ type: match[1]!.toLowerCase(), subtype: match[2]!.toLowerCase(), q: Number(q) });
  }
  return ranges;
}

/** Elements of a comma-separated header; commas within quotes do not count, empty elements are dropped. */
function splitList(header: string): string[] {
  const parts = header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/**
 * The media type to answer with, best quality first, then the one named most exactly, then the one the
 * client lists first.
 * @param offers what can be produced, the default first
 * @throws StatusError 406 when the client takes none of them
 */
export function negotiate(header: string | undefined, offers: readonly string[]): string {
  if (header === undefined || header === "*/*" || header === offers[0]) return offers[0]!;
  const ranges = parseAccept(header);
  if (!ranges || ranges.length === 0) return offers[0]!;
  let best: { offer: string; q: number; exact: number; order: number } | undefined;
  for (const offer of offers) {
    const [type, subtype] = offer.split("/");
    // The most exact range decides about an offer, whatever quality others give it.
    let own: { q: number; exact: number; order: number } | undefined;
    for (const [order, range] of ranges.entries()) {
      const exact =
        range.type === type && range.subtype === subtype
          ? 2
          : range.type === type && range.subtype === "*"
            ? 1
            : 0;
      if (exact === 0 && !(range.type === "*" && range.subtype === "*")) continue;
      if (!own || exact > own.exact) own = { q: range.q, exact, order };
    }
    if (!own || own.q === 0) continue;
    if (
      !best ||
      own.q > best.q ||
      (own.q === best.q && (own.exact > best.exact || (own.exact === best.exact && own.order < best.order)))
    ) {
      best = { offer, ...own };
    }
  }
  if (!best) {
    throw new StatusError(
      Code.invalidArgument,
      `Accept: this resource is available as ${offers.join(", ")}`,
      { httpStatus: 406 },
    );
  }
  return best.offer;
}

/** Whether a response may be gzip-coded (RFC 9110 12.5.3). */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false;
  let any = false;
  for (const part of splitList(String(header).toLowerCase())) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    const q = parameters.find((text) => text.startsWith("q="))?.slice(2) ?? "1";
    const wanted = QUALITY.test(q) && Number(q) > 0;
    if (coding === "gzip" || coding === "x-gzip") return wanted;
    if (coding === "*") any = wanted;
  }
  return any;
}

/**
 * Refuses a body that is not JSON; no content type counts as JSON.
 * @param also one more media type taken, for client streams
 */
export function requireJson(headers: IncomingHttpHeaders, also?: string): void {
  const header = headers["content-type"];
  if (header === undefined) return;
  const [essence = "", ...parameters] = header.split(";").map((text) => text.trim().toLowerCase());
  const charset = parameters
    .find((text) => text.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  const json = essence === JSON_TYPE || /^[^/]+\/[^/]+\+json$/.test(essence) || essence === also;
  if (json && (charset === undefined || charset === "utf-8" || charset === "utf8")) return;
  throw new StatusError(Code.invalidArgument, `Content-Type: must be ${JSON_TYPE} in UTF-8`, {
    httpStatus: 415,
    headers: { "accept-post": also ? `${JSON_TYPE}, ${also}` : JSON_TYPE },
  });
}

/** Media type alone, in lower case. */
export const essenceOf = (contentType: string | undefined): string =>
  (contentType ?? "").split(";")[0]!.trim().toLowerCase();
