/** Cross-origin requests of browsers (Fetch Standard, section 3.3). Without origins nothing is ever allowed. */
import type { OutgoingHttpHeaders } from "node:http2";
import { type HttpRequest, type HttpResponse, sendResponse } from "../transcode/exchange.ts";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
/** What clients of all protocols send. Authorization must be named: "*" does not cover it. */
const REQUEST_HEADERS = [
  "accept",
  "authorization",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-type",
  "grpc-timeout",
  "idempotency-key",
  "if-none-match",
  "traceparent",
  "x-grpc-web",
  "x-request-id",
  "x-server-timeout",
  "x-user-agent",
].join(", ");
const RESPONSE_HEADERS = [
  "etag",
  "grpc-message",
  "grpc-status",
  "grpc-status-details-bin",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
  "x-request-id",
].join(", ");
/** How long a browser may remember a preflight, in seconds; more than two hours no browser does. */
const MAX_AGE = "7200";

export interface Cors {
  /** Headers for the response to a request of this origin; undefined for one that is not allowed. */
  headersFor(origin: string): OutgoingHttpHeaders | undefined;
  /** Answers a preflight of an allowed origin; false for anything else, with the response untouched. */
  answerPreflight(request: HttpRequest, response: HttpResponse): boolean;
}

/**
 * Cookies play no part: tokens are sent in a header, so credentials are never allowed.
 * @param origins as in the header Origin; "*" for all
 */
export function allowOrigins(origins: readonly string[]): Cors {
  const all = origins.includes("*");
  const allowed = new Map(
    origins.map((origin) => [
      origin,
      { "access-control-allow-origin": origin, "access-control-expose-headers": RESPONSE_HEADERS },
    ]),
  );
  const headersFor = (origin: string) => allowed.get(all ? "*" : origin);
  return {
    headersFor,
    answerPreflight(request, response) {
      const { origin, "access-control-request-method": method } = request.headers;
      if (request.method !== "OPTIONS" || origin === undefined || method === undefined) return false;
      if (!headersFor(origin)) return false;
      const headers = {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": MAX_AGE,
      };
      sendResponse(request, response, 204, headers, "");
      return true;
    },
  };
}
