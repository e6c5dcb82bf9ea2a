/** The dashboard: sources, ticks, server. */
import type { AddressInfo } from "node:net";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { DashboardConfig } from "./config.ts";
import { dashboardRoutes } from "./rpc/dashboard-service.ts";
import { createDashboardServer } from "./server/dashboard-server.ts";
import { serveMails } from "./server/mail-pages.ts";
import { servePage } from "./server/page-files.ts";
import { receiveSpans, spansPath } from "./server/span-receiver.ts";
import { serveTicks } from "./server/tick-stream.ts";
import { openSources } from "./sources/sources.ts";
import { startTicker } from "./ticks/ticker.ts";

/** A dashboard that serves. */
export interface RunningDashboard {
  /** TCP port it listens on. */
  readonly port: number;
  stop(): Promise<void>;
}

/** @throws Error when the contract cannot be read, or the port is taken */
export async function startDashboard(config: DashboardConfig, log: Logger): Promise<RunningDashboard> {
  const stopping = new AbortController();
  const sources = await openSources(config, log);
  const ticker = startTicker(sources);
  const server = await createDashboardServer({
    routes: dashboardRoutes(sources, ticker, stopping.signal),
    types: sources.contract.registry,
    onRequest: (path) => {
      if (path !== spansPath) ticker.touch();
    },
    stopping: stopping.signal,
  });
  // The runner asks for it, as of every process.
  server.get("/readyz", () => ({ ready: true }));
  serveTicks(server, ticker, stopping.signal);
  receiveSpans(server, sources.traces);
  serveMails(server, sources.inbox);
  servePage(server);
  await server.listen({ host: config.host, port: config.port });
  const { port } = server.server.address() as AddressInfo;
  log.info({ port }, "ready");
  return {
    port,
    async stop() {
      stopping.abort();
      await server.close();
      await ticker.stop();
      await sources.stop();
      log.info("stopped");
    },
  };
}
