import type { ServerResponse } from "node:http";
import type { HttpResponse } from "./exchange.ts";
import type { Call } from "./upstream-call.ts";

/**
 * Writes to the client at its pace: the upstream waits while the client does not read.
 * @param response the client's, of HTTP/1.1 or HTTP/2
 * @param call the upstream call; asked only when something is written
 * @returns what writes a chunk; text is sent as latin1, a byte a character
 */
export function writeThrough(response: HttpResponse, call: () => Call): (chunk: Buffer | string) => void {
  const client = response as ServerResponse;
  // Messages that came together are all written, though the first filled the buffer.
  let waiting = false;
  return (chunk) => {
    if (chunk.length === 0 || client.write(chunk, "latin1") || waiting) return;
    waiting = true;
    call().pause();
    client.once("drain", () => {
      waiting = false;
      call().resume();
    });
  };
}
