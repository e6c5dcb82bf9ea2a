/** The gateway as a process of the mesh: settings from the environment, SIGTERM and SIGINT end it. */
import { readConfig } from "#mesh/runtime/config.ts";
import { stopOnSignal } from "#mesh/runtime/stop-on-signal.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { startEdge } from "./start-edge.ts";

const log = createLogger("edge");
try {
  const edge = await startEdge(readConfig(process.env));
  stopOnSignal(() => edge.stop(), log);
} catch (error) {
  log.fatal({ err: error }, "start failed");
  process.exit(1);
}
