import { Http2ServerResponse } from "node:http2";

/**
 * For the options of an HTTP/2 server: a response to a stream that was reset takes what is said and drops it. That of
 * node:http2 throws at whoever answers between the reset and the event that tells of it, such as a handler that finds
 * at the end of a request, which came together with its reset, that it makes no sense.
 */
export class QuietResponse extends Http2ServerResponse {
  // Arguments are handed on as they are: each of these methods has several forms.
  override writeHead(...head: never[]): this {
    return isGone(this) ? this : super.writeHead(...(head as unknown as [number]));
  }

  override write(...chunk: never[]): boolean {
    return isGone(this) ? false : super.write(...(chunk as unknown as [string]));
  }

  override end(...last: never[]): this {
    return isGone(this) ? this : super.end(...(last as unknown as []));
  }

  override writeContinue(): void {
    if (!isGone(this)) super.writeContinue();
  }
}

function isGone({ stream }: Pick<Http2ServerResponse, "stream">): boolean {
  return stream.destroyed || stream.closed;
}
