/** The modular monolith: all services and the edge in one process, calling each other in memory. */
import { startEdge } from "#edge/start-edge.ts";
import { readConfig } from "#mesh/runtime/config.ts";
import type { LocalTransports } from "#mesh/runtime/rpc/clients.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { startService } from "#mesh/runtime/start-service.ts";
import { stopOnSignal } from "#mesh/runtime/stop-on-signal.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { auth } from "../../services/auth/service.ts";
import { email } from "../../services/email/service.ts";
import { inventory } from "../../services/inventory/service.ts";
import { order } from "../../services/order/service.ts";
import { payment } from "../../services/payment/service.ts";
import { product } from "../../services/product/service.ts";
import { user } from "../../services/user/service.ts";

const definitions: Readonly<Record<string, ServiceDefinition>> = {
  auth,
  user,
  product,
  inventory,
  order,
  payment,
  email,
};

/** Environment of each process there would be, by name (set by the runner). */
const environments = JSON.parse(process.env.WEFT_ENVIRONMENTS ?? "{}") as Record<string, NodeJS.ProcessEnv>;
/** What the one process was told for all: where spans go, and what is logged. */
const shared = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name.startsWith("OTEL_") || name === "LOG_LEVEL"),
);
const configOf = (name: string) => readConfig({ ...shared, ...environments[name] });

const log = createLogger("single", process.env.LOG_LEVEL);
try {
  const local: LocalTransports = new Map();
  const services = await Promise.all(
    Object.entries(definitions).map(([name, definition]) => startService(definition, configOf(name), local)),
  );
  const edge = await startEdge(configOf("edge"));
  stopOnSignal(async () => {
    await edge.stop();
    await Promise.all(services.map((service) => service.stop()));
  }, log);
} catch (error) {
  log.fatal({ err: error }, "start failed");
  process.exit(1);
}
