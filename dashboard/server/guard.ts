/**
 * Who may talk to the dashboard: programs of this machine, and its own page. There is no login, so a web page of
 * somebody else that the same browser has open must get nowhere:
 *
 * - by DNS rebinding it could reach the port under a name of its own: Host must be a name of loopback;
 * - from its own origin it could send requests blindly: Origin, where there is one, must be this very host, and
 *   a request that is no GET needs an Origin or a header that other origins cannot send without asking first
 *   (we never answer such a question: CORS is not spoken here).
 */
import type { IncomingHttpHeaders } from "node:http";

/** Header that programs send with everything that is no GET; Connect clients send the second one by themselves. */
export const programHeader = "x-weft-dashboard";
const ownHeaders = [programHeader, "connect-protocol-version"];

/** Bodies that a form of another page cannot send. */
const bodyTypes =
  /^application\/(json|connect\+(json|proto)|proto|grpc(-web)?(\+(proto|json))?(-text)?|x-protobuf)\s*(;|$)/i;

/** Exporters of OTLP send no header of ours; what they may do is add spans. */
const spanExport = /^\/v1\/traces$/;

const loopback = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

/** Why a request is refused, and the HTTP status to say it with; undefined: it is not. */
export function refusal(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): { status: number; reason: string } | undefined {
  const host = headers.host ?? (headers[":authority"] as string | undefined) ?? "";
  if (!loopback.test(host))
    return { status: 421, reason: "the dashboard is called by a name of loopback only" };
  const { origin } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
    return { status: 403, reason: "another origin may not use the dashboard" };
  const site = headers["sec-fetch-site"];
  // A link from elsewhere may open the page, but nothing else.
  const opensPage = method === "GET" && headers["sec-fetch-mode"] === "navigate";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !opensPage)
    return { status: 403, reason: "another site may not use the dashboard" };
  if (method === "GET" || method === "HEAD") return undefined;
  if (!bodyTypes.test(headers["content-type"] ?? ""))
    return { status: 415, reason: "the body must be JSON, Protobuf, Connect or gRPC" };
  const program =
    /^application\/grpc/i.test(headers["content-type"] ?? "") ||
    spanExport.test(path) ||
    ownHeaders.some((name) => headers[name] !== undefined);
  if (origin === undefined && !program)
    return { status: 403, reason: `without an Origin the header ${programHeader} is needed` };
  return undefined;
}
