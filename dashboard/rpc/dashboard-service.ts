/** Handlers of weft.dashboard.v1.DashboardService, by what they are about. */
import type { ConnectRouter } from "@connectrpc/connect";
import { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import type { Sources } from "../sources/sources.ts";
import type { Ticker } from "../ticks/ticker.ts";
import { contractRpc } from "./contract.ts";
import { eventsRpc } from "./events.ts";
import { explorerRpc } from "./explorer.ts";
import { faultsRpc } from "./faults.ts";
import { inboxRpc } from "./inbox.ts";
import { logsRpc } from "./logs.ts";
import { processesRpc } from "./processes.ts";
import { systemRpc } from "./system.ts";
import { timelinesRpc } from "./timelines.ts";
import { tracesRpc } from "./traces.ts";

/** @param stopping ends streams, which have no end of their own */
export function dashboardRoutes(sources: Sources, ticker: Ticker, stopping: AbortSignal) {
  return (router: ConnectRouter): void => {
    router.service(DashboardService, {
      ...systemRpc(sources, ticker, stopping),
      ...processesRpc(sources),
      ...logsRpc(sources, stopping),
      ...tracesRpc(sources),
      ...contractRpc(sources),
      ...eventsRpc(sources),
      ...timelinesRpc(sources),
      ...explorerRpc(sources),
      ...faultsRpc(sources),
      ...inboxRpc(sources),
    });
  };
}
