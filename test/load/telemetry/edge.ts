/** The mesh's edge. BENCH_TELEMETRY=off: without telemetry. */
import { startEdge } from "#edge/start-edge.ts";
import { readConfig } from "#mesh/runtime/config.ts";
import { SilentRequests, silentTelemetry } from "./silent.ts";

const off = process.env.BENCH_TELEMETRY === "off";
await startEdge(
  readConfig(process.env),
  off ? { telemetry: silentTelemetry(), requests: new SilentRequests() } : {},
);
