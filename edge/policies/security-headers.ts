/**
 * Headers that every response carries unless it says otherwise itself (OWASP REST Security Cheat Sheet): what
 * comes from an API is data, not to be guessed at, framed, run or kept.
 */
export const securityHeaders: Readonly<Record<string, string>> = Object.freeze({
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  // Only browsers that came by TLS heed it (RFC 6797 section 8.1).
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
});
