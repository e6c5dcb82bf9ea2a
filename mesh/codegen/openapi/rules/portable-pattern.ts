/**
 * Whether an RE2 expression, as rules have them, means the same to JSON Schema, which has ECMAScript's. What
 * ECMAScript does not compile in Unicode mode is RE2's own: flags such as (?i), \A, \z, \pN, [[:alpha:]].
 */
export function isPortable(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}

/** Expression that matches `text` and nothing else. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
