import { Code, malformed, StatusError } from "./transcode/status.ts";

/** Headers that must not come twice: two parties could each believe another one. */
const SINGLE = ["host", "authorization", "content-type", "content-length"];
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
  let bytes = 0;
  const seen: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (name !== ":path") bytes += name.length + rawHeaders[i + 1]!.length + 4;
    if (!SINGLE.includes(name)) continue;
    if (seen.includes(name)) throw malformed(`${name}: must not be given twice`);
    seen.push(name);
  }
  if (bytes > MAX_HEADER_BYTES) {
    throw new StatusError(Code.invalidArgument, `the headers are larger than ${MAX_HEADER_BYTES} bytes`, {
      httpStatus: 431,
    });
  }
  if (httpVersion === "1.1" && !seen.includes("host")) throw malformed("host: is missing");
}
