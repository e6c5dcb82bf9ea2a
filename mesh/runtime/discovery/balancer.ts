import { type Connections, Endpoint, type Outcome } from "./endpoint.ts";

/** Where a replica is. */
export interface Replica {
  readonly address: string;
  readonly instance?: string | undefined;
  readonly startedAt?: string | undefined;
}

export interface BalancerOptions<C extends Connections> {
  /** Makes the connection pool for an address. */
  readonly open: (address: string) => C;
  /** Whether the replica at an address is well; asked before one that was left out gets calls again. */
  readonly isHealthy: (address: string) => Promise<boolean>;
  /** A replica is left out, or taken back. */
  readonly onEjection?: (endpoint: Endpoint, ejected: boolean) => void;
}

/**
 * The replicas of one service, and which of them gets the next call: of two that chance picks, the one with
 * fewer calls in flight. Replicas that fail call after call, or cannot be reached, are left out for a while, but
 * never more than half of them, and asked for their health before they get calls again.
 */
export class Balancer<C extends Connections> {
  /** Name of the service. */
  readonly name: string;
  readonly #options: BalancerOptions<C>;
  #endpoints: Endpoint<C>[] = [];
  /** Those that get calls. */
  #chosen: Endpoint<C>[] = [];
  readonly #probes = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(name: string, options: BalancerOptions<C>) {
    this.name = name;
    this.#options = options;
  }

  /** What stands for the service where one address is needed; calls go to any replica. */
  get origin(): string {
    return this.#endpoints[0]?.address ?? `http://${this.name}`;
  }

  /** How many replicas there are. */
  get size(): number {
    return this.#endpoints.length;
  }

  get endpoints(): readonly Endpoint<C>[] {
    return this.#endpoints;
  }

  /**
   * Takes the replicas there are now. Connections to those that stay stay, too; calls in flight to those that
   * leave may finish.
   */
  set(replicas: readonly Replica[]): void {
    const before = new Map(this.#endpoints.map((endpoint) => [endpoint.address, endpoint]));
    const seen = new Set<string>();
    const next: Endpoint<C>[] = [];
    for (const { address, instance, startedAt } of replicas) {
      if (seen.has(address)) continue;
      seen.add(address);
      const endpoint = before.get(address) ?? new Endpoint(address, this.#options.open(address));
      if (startedAt !== undefined && endpoint.startedAt !== startedAt) endpoint.reset(startedAt);
      endpoint.instance = instance;
      next.push(endpoint);
    }
    this.#endpoints = next;
    this.#choose();
    for (const [address, endpoint] of before) if (!seen.has(address)) endpoint.connections.close();
  }

  /** Lets open streams finish and closes every connection. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all(this.#endpoints.map(({ connections }) => connections.close()));
  }

  /** Ends every connection with its streams at once. */
  destroy(): void {
    this.#end();
    for (const { connections } of this.#endpoints) connections.destroy();
  }

  #end(): void {
    this.#closed = true;
    for (const probe of this.#probes) clearTimeout(probe);
  }

  /**
   * The replica for the next call. How the call ends is told by `note`, where there are several.
   * @throws Error when there is none, or the set is closed
   */
  pick(): Endpoint<C> {
    const all = this.#chosen;
    const count = all.length;
    if (count === 0 || this.#closed) throw new Error(`no replica of "${this.name}" is known`);
    if (count === 1) return all[0] as Endpoint<C>;
    const first = Math.floor(Math.random() * count);
    const second = (first + 1 + Math.floor(Math.random() * (count - 1))) % count;
    const [a, b] = [all[first] as Endpoint<C>, all[second] as Endpoint<C>];
    return b.outstanding < a.outstanding ? b : a;
  }

  /** Takes what a call says of the replica that it went to. */
  note(endpoint: Endpoint<C>, outcome: Outcome): void {
    if (endpoint.note(outcome) && this.#mayEject(endpoint, outcome)) this.#eject(endpoint);
  }

  /**
   * A replica that answers badly is an outlier only where another one answers well: when all fail it is not the
   * replica. At least half stay, rounded down, and always one.
   */
  #mayEject(endpoint: Endpoint<C>, outcome: Outcome): boolean {
    if (this.#closed || !this.#endpoints.includes(endpoint)) return false;
    const ejected = this.#endpoints.filter(({ isEjected }) => isEjected).length;
    if (ejected >= Math.min(Math.ceil(this.size / 2), this.size - 1)) return false;
    return (
      outcome === "unreachable" || this.#chosen.some((other) => other !== endpoint && other.failures === 0)
    );
  }

  #eject(endpoint: Endpoint<C>): void {
    endpoint.eject(performance.now());
    this.#choose();
    this.#options.onEjection?.(endpoint, true);
    this.#probeLater(endpoint);
  }

  #probeLater(endpoint: Endpoint<C>): void {
    const timer = setTimeout(
      async () => {
        this.#probes.delete(timer);
        if (!endpoint.isEjected || !this.#endpoints.includes(endpoint)) return;
        const healthy = await this.#options.isHealthy(endpoint.address).catch(() => false);
        if (this.#closed || !endpoint.isEjected || !this.#endpoints.includes(endpoint)) return;
        if (healthy) {
          endpoint.readmit();
          this.#choose();
          this.#options.onEjection?.(endpoint, false);
        } else {
          endpoint.eject(performance.now());
          this.#probeLater(endpoint);
        }
      },
      Math.max(0, endpoint.ejectedUntil - performance.now()),
    ).unref();
    this.#probes.add(timer);
  }

  #choose(): void {
    const well = this.#endpoints.filter(({ isEjected }) => !isEjected);
    this.#chosen = well.length > 0 ? well : this.#endpoints;
  }
}
