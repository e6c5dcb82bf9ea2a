import type { Workload } from "../identity/workload.ts";
import type { Http2Sessions } from "../rpc/http2-sessions.ts";
import { sessionsTo } from "../rpc/mutual-tls.ts";
import type { Logger } from "../telemetry/log.ts";
import { Balancer, type Replica } from "./balancer.ts";
import type { Connections, Endpoint } from "./endpoint.ts";
import { isHealthy } from "./health-probe.ts";

export interface UpstreamsOptions<C extends Connections> {
  /** Service name in the contract → base URL: where a service is when nothing else is known of it. */
  readonly seeds: ReadonlyMap<string, string>;
  /** Makes the connection pool of one replica. */
  readonly open: (service: string, address: string) => C;
  /** Makes one for a question about the health of a replica. */
  readonly openProbe: (service: string, address: string) => Http2Sessions;
  readonly onEjection?: (service: string, endpoint: Endpoint, ejected: boolean) => void;
}

/** Upstreams of a workload at addresses that do not change. @param seeds service name in the contract → base URL */
export function fixedUpstreams(
  seeds: ReadonlyMap<string, string>,
  workload: Workload,
  log: Pick<Logger, "warn">,
): Upstreams<Http2Sessions> {
  const open = (service: string, address: string) => sessionsTo(service, address, workload, log);
  return new Upstreams({ seeds, open, openProbe: open });
}

/** Every service that this process calls, with its replicas. */
export class Upstreams<C extends Connections> {
  readonly #options: UpstreamsOptions<C>;
  readonly #upstreams = new Map<string, Balancer<C>>();
  /** Replicas that discovery tells of, in place of the seed. */
  readonly #found = new Map<string, readonly Replica[]>();

  constructor(options: UpstreamsOptions<C>) {
    this.#options = options;
  }

  /** Services that calls have been made to. */
  get inUse(): Iterable<Balancer<C>> {
    return this.#upstreams.values();
  }

  /** @throws Error for a service that nothing is known of */
  to(service: string): Balancer<C> {
    const known = this.#upstreams.get(service);
    if (known) return known;
    const replicas = this.#replicasOf(service);
    if (replicas.length === 0)
      throw new Error(`no upstream for the service "${service}": set WEFT_UPSTREAMS`);
    const { open, openProbe, onEjection } = this.#options;
    const upstream = new Balancer<C>(service, {
      open: (address) => open(service, address),
      isHealthy: (address) => isHealthy(openProbe(service, address)),
      onEjection: (endpoint, ejected) => onEjection?.(service, endpoint, ejected),
    });
    upstream.set(replicas);
    this.#upstreams.set(service, upstream);
    return upstream;
  }

  /**
   * Takes what discovery found. With nothing found, what was known last stays: calls to processes that are gone
   * fail as fast as calls to nobody, and those that are not gone serve them.
   */
  found(service: string, replicas: readonly Replica[]): void {
    if (replicas.length === 0) return;
    this.#found.set(service, replicas);
    this.#upstreams.get(service)?.set(replicas);
  }

  /** Lets open streams finish and closes every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#upstreams.values()].map((upstream) => upstream.close()));
  }

  /** Ends every connection with its streams at once. */
  destroy(): void {
    for (const upstream of this.#upstreams.values()) upstream.destroy();
  }

  #replicasOf(service: string): readonly Replica[] {
    const found = this.#found.get(service);
    if (found) return found;
    const seed = this.#options.seeds.get(service);
    return seed ? [{ address: seed }] : [];
  }
}
