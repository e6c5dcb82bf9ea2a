import type { Workload } from "#mesh/runtime/identity/workload.ts";
import { clientTls } from "#mesh/runtime/rpc/mutual-tls.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { Pool } from "./pool.ts";

/** Milliseconds between pings of a service of the mesh: all of them allow it, so a lost peer is found out soon. */
const PING_INTERVAL_MS = 20_000;

/** The edge's counterpart of `sessionsTo` in the runtime's mutual-tls.ts: the same identities, over its own connections. */
export function poolTo(callee: string, url: string, workload: Workload, log: Pick<Logger, "warn">): Pool {
  const { credentials } = workload;
  const pingIntervalMs = PING_INTERVAL_MS;
  if (!credentials) return new Pool(url, { pingIntervalMs });
  return new Pool(url.replace(/^http:/, "https:"), {
    pingIntervalMs,
    tls: clientTls(callee, workload, log),
    generation: () => credentials.current,
  });
}
