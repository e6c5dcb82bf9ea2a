/** `npm run bench:edge`: what the edge costs beside other gateways. README.md tells how to read it. */
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort } from "#local/free-port.ts";
import { compareGateways } from "./compare-gateways.ts";
import type { Surroundings } from "./contestants.ts";
import { createIdentities } from "./identities.ts";
import { memorySlope } from "./memory-slope.ts";
import { startServer } from "./processes.ts";
import { routerCost } from "./router-cost.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "10000" },
    "warm-up": { type: "string", default: "25000" },
    only: { type: "string", multiple: true, default: [] },
    router: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    seconds: { type: "string", default: "600" },
  },
});
// Ends the processes it has started, too.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

if (process.platform !== "linux")
  throw new Error("CPU time of other processes is read from /proc: Linux only");

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString()}\n`);
if (values.router) routerCost();
else await withLibrary(values.memory ? measureMemory : compare);

async function compare(surroundings: Surroundings): Promise<void> {
  const { rounds, requests, only } = values;
  await compareGateways(surroundings, {
    rounds: Number(rounds),
    requests: Number(requests),
    warmUp: Number(values["warm-up"]),
    only,
  });
  console.log();
  routerCost();
}

function measureMemory(surroundings: Surroundings): Promise<void> {
  return memorySlope(surroundings, Number(values.seconds));
}

async function withLibrary(work: (surroundings: Surroundings) => Promise<void>): Promise<void> {
  const folder = join(import.meta.dirname, "../../../.weft/bench-edge");
  mkdirSync(folder, { recursive: true });
  const identities = await createIdentities();
  const upstream = await startServer(
    [process.execPath, join(import.meta.dirname, "library-upstream.ts")],
    await freePort(),
    {},
  );
  try {
    await work({ upstream: `http://127.0.0.1:${upstream.port}`, identities, folder });
  } finally {
    await upstream.stop();
    await identities.stop();
  }
}
