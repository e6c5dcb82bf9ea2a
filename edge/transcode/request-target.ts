import { checkPath } from "./percent.ts";
import { Code, malformed, StatusError } from "./status.ts";

export interface RequestTarget {
  /** Raw path, checked; starts with "/", or is "*" for a server-wide OPTIONS. */
  readonly path: string;
  /** Raw query without "?"; "" for none. */
  readonly query: string;
}

/**
 * Splits a raw request-target (RFC 9112 3.2) in origin-form or absolute-form.
 * @param maxBytes largest target; 414 above
 */
export function parseTarget(target: string, maxBytes: number): RequestTarget {
  if (target.length > maxBytes) {
    throw new StatusError(Code.invalidArgument, `URL is longer than ${maxBytes} bytes`, { httpStatus: 414 });
  }
  let from = 0;
  if (target.charCodeAt(0) !== 0x2f) {
    if (target === "*") return { path: "*", query: "" };
    const authority = /^https?:\/\/[^/?#]+/i.exec(target);
    if (!authority) throw malformed("request-target: neither a path nor an http URL");
    from = authority[0].length;
  }
  if (target.includes("#")) throw malformed("request-target: must not have a fragment");
  const mark = target.indexOf("?", from);
  const path = (mark < 0 ? target.slice(from) : target.slice(from, mark)) || "/";
  checkPath(path);
  return { path, query: mark < 0 ? "" : target.slice(mark + 1) };
}
