/**
 * Pages for those who run the edge, on a port of their own: GET /metrics, /healthz and /readyz. Unlike the edge's
 * port it must not be reached from outside; on loopback unless the setting says otherwise.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A port that listens. */
export interface AdminPort {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * @param pages.metrics present values in Prometheus' text format
 * @throws Error EADDRINUSE
 */
export async function openAdminPort(
  host: string,
  port: number,
  pages: { metrics: () => Promise<string>; isReady: () => boolean },
): Promise<AdminPort> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, async (request, response) => {
    const answer = (status: number, type: string, body: string) =>
      response
        .writeHead(status, { "content-type": type, "cache-control": "no-store" })
        .end(request.method === "HEAD" ? undefined : body);
    const json = (status: number, value: object) => answer(status, "application/json", JSON.stringify(value));
    if (request.method !== "GET" && request.method !== "HEAD") return json(405, { code: 12, message: "GET" });
    const path = request.url?.split("?")[0];
    if (path === "/healthz") return json(200, { status: "ok" });
    if (path === "/readyz") return json(pages.isReady() ? 200 : 503, { ready: pages.isReady() });
    if (path !== "/metrics") return json(404, { code: 5, message: "no such page" });
    try {
      answer(200, "text/plain; version=0.0.4; charset=utf-8", await pages.metrics());
    } catch {
      json(500, { code: 13, message: "the figures cannot be read now" });
    }
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
