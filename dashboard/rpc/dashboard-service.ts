/** Handlers of weft.dashboard.v1.DashboardService, by what they are about. */
import type { ConnectRouter } from "@connectrpc/connect";
import { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import type { Sources } from "../sources/sources.ts";
import type { Ticker } from "../ticks/ticker.ts";
import { contractRpc } from "./contract.ts";
import { inboxRpc } from "./inbox.ts";
import { logsRpc } from "./logs.ts";
import { processesRpc } from "./processes.ts";
import { systemRpc } from "./system.ts";

/** @param stopping ends streams, which have no end of their own */
export function dashboardRoutes(sources: Sources, ticker: Ticker, stopping: AbortSignal) {
  return (router: ConnectRouter): void => {
    router.service(DashboardService, {
      ...systemRpc(sources, ticker, stopping),
      ...processesRpc(sources),
      ...logsRpc(sources, stopping),
      ...contractRpc(sources),
      ...inboxRpc(sources),
    });
  };
}
