import { Code, malformed, StatusError } from "./transcode/status.ts";

/** Headers that must not come twice: two parties could each believe another one. Found by their length. */
const SINGLE = ["host", "authorization", "content-type", "content-length"];
const singleOfLength = new Map(SINGLE.map((name) => [name.length, name]));
export const MAX_HEADER_BYTES = 16 * 1024;
/** Header fields of a request: gRPC servers take 128 by default, and the edge adds some. */
export const MAX_HEADER_FIELDS = 112;
/** Host and port, or nothing (RFC 9112 3.2, RFC 3986 3.2.2). */
const HOST = /^(?:\[[0-9A-Fa-f:.vV]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::\d*)?$/;

/**
 * What no request may have, whatever it asks for.
 * @param rawHeaders names and values alternating
 * @throws StatusError 400 for a header that is repeated, missing or wrong, 405 for TRACE and CONNECT, 431
 *   for headers that are too large or too many, 501 for unknown transfer codings
 */
export function checkRequest(method: string, httpVersion: string, rawHeaders: readonly string[]): void {
  if (method === "TRACE" || method === "CONNECT") {
    throw new StatusError(Code.unimplemented, `${method} is not allowed`, {
      httpStatus: 405,
      headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
    });
  }
  if (rawHeaders.length > 2 * MAX_HEADER_FIELDS) throw tooLarge(`more than ${MAX_HEADER_FIELDS} fields`);
  let bytes = 0;
  let hasHost = false;
  let seen = "";
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name !== ":path") bytes += name.length + rawHeaders[i + 1]!.length + 4;
    if (name.length === TRANSFER_ENCODING.length) checkTransferCoding(name, rawHeaders[i + 1]!, httpVersion);
    const single = singleOfLength.get(name.length);
    if (single === undefined || name.toLowerCase() !== single) continue;
    if (seen.includes(single)) throw malformed(`${single}: must not be given twice`);
    seen += `${single} `;
    if (single !== "host") continue;
    hasHost = true;
    if (!HOST.test(rawHeaders[i + 1]!)) throw malformed("host: is no host name");
  }
  if (bytes > MAX_HEADER_BYTES) throw tooLarge(`larger than ${MAX_HEADER_BYTES} bytes`);
  if (httpVersion === "1.1" && !hasHost) throw malformed("host: is missing");
}

function tooLarge(how: string): StatusError {
  return new StatusError(Code.invalidArgument, `the headers are ${how}`, { httpStatus: 431 });
}

const TRANSFER_ENCODING = "transfer-encoding";

/** Codings applied before chunks are made of the body, as the parser has let them pass. */
const CODED_CHUNKS = /^(?:[\w!#$%&'*+.^`|~-]+[ \t]*,[ \t]*)+chunked$/i;

/** RFC 9112 6.1: only chunked is spoken here, and not by HTTP/1.0, where another party may not see it. */
function checkTransferCoding(name: string, value: string, httpVersion: string): void {
  if (name.toLowerCase() !== TRANSFER_ENCODING) return;
  const coding = value.toLowerCase();
  if (coding === "chunked" && httpVersion === "1.1") return;
  if (httpVersion === "1.1" && CODED_CHUNKS.test(coding) && coding.indexOf("chunked") === coding.length - 7)
    throw new StatusError(Code.unimplemented, "transfer-encoding: only chunked is supported");
  throw malformed("transfer-encoding: only chunked is supported, in HTTP/1.1");
}
