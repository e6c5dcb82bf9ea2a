import type { Http2Server } from "node:http2";

export interface SessionCare {
  /** Milliseconds between pings; a peer that has not answered one until the next is dead. */
  readonly pingIntervalMs?: number;
  /** Milliseconds after which a connection takes no new calls; jittered by a tenth. */
  readonly maxAgeMs?: number;
}

/**
 * Looks after the HTTP/2 connections of a server. Those of peers that vanished without a word end, in place of
 * holding their memory until the kernel gives up. Old ones are told to go (GOAWAY; calls in flight finish): callers
 * then connect anew, and so find replicas that came later where something between balances connections.
 */
export function tendSessions(
  server: Http2Server,
  { pingIntervalMs = 30_000, maxAgeMs = 600_000 }: SessionCare = {},
): void {
  server.on("session", (session) => {
    let waiting = false;
    const pings = setInterval(() => {
      if (waiting) return session.destroy();
      waiting = true;
      session.ping((error) => {
        waiting = error !== null;
      });
    }, pingIntervalMs).unref();
    const retire = setTimeout(() => session.close(), maxAgeMs * (0.9 + Math.random() / 5)).unref();
    session.once("close", () => {
      clearInterval(pings);
      clearTimeout(retire);
    });
  });
}
