/** Answers over HTTP/1.1 that leave before the whole request has come: to a message too large, for instance. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How long and how much of the rest is still read, in milliseconds and bytes, before the connection is cut. */
const lingerMs = 1_000;
const lingerBytes = 8 * 1024 * 1024;

/**
 * Lets such an answer end the connection, and say so. What the client still sends is read and dropped for a
 * while: bytes that meet a closed socket reset it, and the client may lose the answer (RFC 9112 section 9.6).
 */
export function closeAfterEarlyAnswer(request: IncomingMessage, response: ServerResponse): void {
  // Handlers that stop reading half way would else destroy the request, and the connection with it.
  request[Symbol.asyncIterator] = () => request.iterator({ destroyOnReturn: false });
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  response.writeHead = (...head: unknown[]) => {
    if (!request.complete) {
      response.shouldKeepAlive = false;
      lingerBeforeClose(request);
    }
    return writeHead(...head);
  };
}

/** Half-closes the connection where Node would close it, and closes it when the client has, or its time is up. */
function lingerBeforeClose(request: IncomingMessage): void {
  const socket = request.socket as Socket;
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
    let left = lingerBytes;
    request.removeAllListeners("readable").on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) socket.destroy();
    });
    request.resume();
  };
}
