import { readConfig } from "./config.ts";
import { meshNameOf } from "./policy/method-policy.ts";
import type { ServiceDefinition } from "./service.ts";
import { startService } from "./start-service.ts";
import { stopOnSignal } from "./stop-on-signal.ts";
import { createLogger } from "./telemetry/log.ts";

/** Runs one service as this process: settings from the environment, SIGTERM and SIGINT end it. */
export async function runService(definition: ServiceDefinition): Promise<void> {
  const log = createLogger(meshNameOf(definition.contract));
  try {
    const running = await startService(definition, readConfig(process.env));
    stopOnSignal(() => running.stop(), log);
  } catch (error) {
    log.fatal({ err: error }, "start failed");
    process.exitCode = 1;
    // Connections that are open by now must not keep the process alive.
    setTimeout(() => process.exit(1), 100).unref();
  }
}
