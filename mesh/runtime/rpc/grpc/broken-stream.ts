/** Streams that end without a status (gRPC over HTTP/2, "Errors"). */
import http2, { type Http2Session } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { wasEstablished } from "../http2-sessions.ts";

const { constants } = http2;

/**
 * Status of a call whose stream was reset or whose connection broke.
 * @param connectionLost whether the whole connection is gone: node:http2 then gives its streams the reset
 *   code CANCEL, which the peer never sent
 */
export function brokenStream(
  rstCode: number,
  cause: Error | undefined,
  connectionLost: boolean,
): ConnectError {
  const broken = (message: string, code: Code) =>
    new ConnectError(message, code, undefined, undefined, cause);
  const byPeer = !cause || (cause as NodeJS.ErrnoException).code === "ERR_HTTP2_STREAM_ERROR";
  if (!byPeer || connectionLost) return broken("the connection failed", Code.Unavailable);
  switch (rstCode) {
    case constants.NGHTTP2_CANCEL:
      return broken("the peer canceled the call", Code.Canceled);
    case constants.NGHTTP2_REFUSED_STREAM:
      return broken("the peer refused the call", Code.Unavailable);
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return broken("the peer asked to slow down", Code.ResourceExhausted);
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return broken("the peer wants better transport security", Code.PermissionDenied);
    default:
      return broken(`the peer broke off the call (HTTP/2 error ${rstCode})`, Code.Internal);
  }
}

/**
 * Whether a call on this stream may be sent again although nobody knows what it does: it never left, since the
 * connection did not come about, and there is another replica it can go to.
 */
export function neverLeft(session: Http2Session | undefined, replicas: number): boolean {
  return replicas > 1 && session !== undefined && !wasEstablished(session);
}

/** Such a call may be sent again whatever it does: the peer says it has not looked at it (RFC 9113 section 8.7). */
export function wasNeverProcessed(rstCode: number, error: Error | undefined): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return (
    rstCode === constants.NGHTTP2_REFUSED_STREAM ||
    code === "ERR_HTTP2_GOAWAY_SESSION" ||
    code === "ERR_HTTP2_INVALID_SESSION"
  );
}
