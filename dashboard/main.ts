/** The dashboard as a process of the local runner: settings from the environment, SIGTERM and SIGINT end it. */
import { stopOnSignal } from "#mesh/runtime/stop-on-signal.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { readDashboardConfig } from "./config.ts";
import { startDashboard } from "./start-dashboard.ts";

const log = createLogger("dashboard", process.env.LOG_LEVEL);
try {
  const dashboard = await startDashboard(readDashboardConfig(process.env), log);
  stopOnSignal(() => dashboard.stop(), log);
} catch (error) {
  log.fatal({ err: error }, "start failed");
  process.exit(1);
}
