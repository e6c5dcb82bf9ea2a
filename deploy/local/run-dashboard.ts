import { join } from "node:path";
import { compileCache } from "./compile-cache.ts";
import { environmentOfDashboard } from "./environments.ts";
import type { Identities } from "./identities.ts";
import { changed, type Run, startParts } from "./run.ts";
import { partFor } from "./run-services.ts";

/**
 * Starts the dashboard, if the system has one. It is no part of the system: when it does not start, the system
 * goes on without, and says so.
 *
 * @param access.natsUrl of the operator's user on the bus
 */
export async function startDashboard(
  run: Run,
  access: { identities: Identities; natsUrl: string },
): Promise<void> {
  const { system, options, places, root, output } = run;
  if (!system.dashboard || !options.dashboard) return;
  const began = Date.now();
  const port = places.port("dashboard");
  const [dashboard] = startParts(run, [
    partFor(run, {
      name: "dashboard",
      about: { kind: "dashboard", service: "dashboard", replica: 1, port },
      entry: system.dashboard.entry,
      ports: [port],
      env: {
        ...compileCache(root)(1),
        ...environmentOfDashboard(system, {
          ...access,
          places,
          dataDir: options.dataDir,
          faults: options.faults,
        }),
      },
    }),
  ]);
  changed(run);
  try {
    await dashboard!.ready;
    output.done("dashboard", places.url("dashboard"), Date.now() - began);
  } catch (error) {
    const log = join(options.dataDir, "logs", "dashboard.log");
    output.warn(`no dashboard: it does not start: ${(error as Error).message}; its log is ${log}`);
  }
}
