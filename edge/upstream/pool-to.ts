import type { Workload } from "#mesh/runtime/identity/workload.ts";
import { clientTls } from "#mesh/runtime/rpc/mutual-tls.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { Pool, type PoolOptions } from "./pool.ts";

/** The edge's counterpart of `sessionsTo` in the runtime's mutual-tls.ts: the same identities, over its own connections. */
export function poolTo(
  callee: string,
  url: string,
  workload: Workload,
  log: Pick<Logger, "warn">,
  options: Omit<PoolOptions, "tls" | "generation"> = {},
): Pool {
  const { credentials } = workload;
  if (!credentials) return new Pool(url, options);
  return new Pool(url.replace(/^http:/, "https:"), {
    ...options,
    tls: clientTls(callee, workload, log),
    generation: () => credentials.current,
  });
}
