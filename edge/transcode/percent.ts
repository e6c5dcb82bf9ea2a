import type { TranscoderOptions } from "./options.ts";
import { malformed } from "./status.ts";

const NOT_VISIBLE_ASCII = /[^\x21-\x7e]/;
const SLASH = /%2[Ff]/;
/** Escapes of the reserved characters of RFC 6570 (and RFC 3986): :/?#[]@!$&'()*+,;= */
const RESERVED = /%(?:2[1346-9A-Ca-cFf]|3[ABDFabdf]|40|5[BDbd])/;

/**
 * Decodes every escape of `text`.
 * @param what names the text in the error
 * @throws StatusError INVALID_ARGUMENT for a bad escape or bytes that are not UTF-8
 */
export function decodePercent(text: string, what: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(`${what}: bad percent-encoding or not UTF-8`);
  }
}

/** Decodes all but the escapes that would change how the text splits; those stay as sent. */
export function decodeMultiSegment(text: string, keep: TranscoderOptions["url_unescape"]): string {
  if (!text.includes("%")) return text;
  if (keep === "all") return decodePercent(text, "path");
  // A capturing split puts the kept escapes at the odd places.
  const pieces = text.split(new RegExp(`(${(keep === "all_except_slash" ? SLASH : RESERVED).source})`));
  return pieces.map((piece, i) => (i % 2 ? piece : decodePercent(piece, "path"))).join("");
}

/**
 * Refuses what no route may see: characters a URI cannot hold, bad escapes, bytes that are not UTF-8 and
 * "." or ".." segments, also when escaped (RFC 3986 6.2.2.2).
 */
export function checkPath(path: string): void {
  if (NOT_VISIBLE_ASCII.test(path)) throw malformed("path: non-ASCII characters must be percent-encoded");
  if (!path.includes("%")) {
    if (path.includes("/.") && hasDotSegment(path))
      throw malformed('path: "." and ".." segments are not allowed');
    return;
  }
  decodePercent(path, "path");
  if (hasDotSegment(path.replace(/%2e/gi, ".")))
    throw malformed('path: "." and ".." segments are not allowed');
}

const hasDotSegment = (path: string): boolean => /\/\.\.?(?:\/|$)/.test(path);
