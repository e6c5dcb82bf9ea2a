import { Code, malformed, StatusError } from "./transcode/status.ts";

/** Headers that must not come twice: two parties could each believe another one. Found by their length. */
const SINGLE = ["host", "authorization", "content-type", "content-length"];
const singleOfLength = new Map(SINGLE.map((name) => [name.length, name]));
export const MAX_HEADER_BYTES = 16 * 1024;

/**
 * What no request may have, whatever it asks for.
 * @param rawHeaders names and values alternating
 * @throws StatusError 400 for a repeated or missing header, 405 for TRACE and CONNECT, 431 for too large headers
 */
export function checkRequest(method: string, httpVersion: string, rawHeaders: readonly string[]): void {
  if (method === "TRACE" || method === "CONNECT") {
    throw new StatusError(Code.unimplemented, `${method} is not allowed`, {
      httpStatus: 405,
      headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
    });
  }
  // Node's parser takes a request line without a version for HTTP/0.9, which has no headers to check.
  if (httpVersion === "0.9") throw malformed("HTTP/0.9 is not supported");
  let bytes = 0;
  let hasHost = false;
  let seen = "";
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name !== ":path") bytes += name.length + rawHeaders[i + 1]!.length + 4;
    const single = singleOfLength.get(name.length);
    if (single === undefined || name.toLowerCase() !== single) continue;
    if (seen.includes(single)) throw malformed(`${single}: must not be given twice`);
    seen += `${single} `;
    hasHost ||= single === "host";
  }
  if (bytes > MAX_HEADER_BYTES) {
    throw new StatusError(Code.invalidArgument, `the headers are larger than ${MAX_HEADER_BYTES} bytes`, {
      httpStatus: 431,
    });
  }
  if (httpVersion === "1.1" && !hasHost) throw malformed("host: is missing");
}
