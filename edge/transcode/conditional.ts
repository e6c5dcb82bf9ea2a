/** Opaque tags of a list of entity tags (RFC 9110 8.8.3). */
const ENTITY_TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;
/** Spaces before an element belong to it alone, so that there is one way to read a list. */
const ENTITY_TAGS =
  /^\s*(?:,\s*)*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:\s*,(?:\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")?)*\s*$/;

/**
 * Whether If-None-Match says that the client has the current representation, by weak comparison (RFC 9110
 * 13.1.2). A field that does not parse is ignored.
 */
export function notModified(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined || etag === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  if (!ENTITY_TAGS.test(ifNoneMatch)) return false;
  const current = etag.replace(/^W\//, "");
  return Array.from(ifNoneMatch.matchAll(ENTITY_TAG), ([, tag]) => tag).includes(current);
}
