import type { OutgoingHttpHeaders } from "node:http2";
import { type HttpRequest, type HttpResponse, presetHeaders } from "../transcode/exchange.ts";
import { allowOrigins } from "./cors.ts";
import { securityHeaders } from "./security-headers.ts";

/** What happens to every request before anybody looks at what it wants; true when it is answered. */
export type EveryRequest = (request: HttpRequest, response: HttpResponse) => boolean;

/** Security headers on every response, CORS on those to allowed origins, and answers to preflights. */
export function everyResponse({ cors_origins }: { cors_origins: readonly string[] }): EveryRequest {
  if (cors_origins.length === 0) {
    return (_request, response) => {
      presetHeaders(response, securityHeaders);
      return false;
    };
  }
  const cors = allowOrigins(cors_origins);
  // Caches must keep answers to different origins apart, also those without CORS headers.
  const plain: OutgoingHttpHeaders = { ...securityHeaders, vary: "origin" };
  const byHeaders = new Map<OutgoingHttpHeaders, OutgoingHttpHeaders>();
  return (request, response) => {
    const { origin } = request.headers;
    const allowed = origin === undefined ? undefined : cors.headersFor(origin);
    let headers = plain;
    if (allowed) {
      headers = byHeaders.get(allowed) ?? { ...plain, ...allowed };
      byHeaders.set(allowed, headers);
    }
    presetHeaders(response, headers);
    return cors.answerPreflight(request, response);
  };
}
