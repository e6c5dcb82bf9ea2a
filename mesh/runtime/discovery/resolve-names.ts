import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { EventLog } from "../events/bus.ts";
import type { Connections } from "./endpoint.ts";
import type { Upstreams } from "./upstreams.ts";

/** Time between two look-ups, in milliseconds: what a record of a cluster's DNS usually lives. */
const lookEveryMs = 5_000;

/** Addresses of a host name. Fails for a name that has none, and while nobody answers. */
export type LookUp = (host: string) => Promise<readonly LookupAddress[]>;

/** As every program of the machine does it, with /etc/hosts and the search domains of a cluster. */
const bySystem: LookUp = (host) => lookup(host, { all: true });

/**
 * Discovery by DNS: every address that a service's host name has is a replica (a headless Service of Kubernetes, a
 * scaled service of Compose). A name with one address stays a name, for whatever balances behind it.
 *
 * One name is looked up at a time, and none again before all were: the system's look-up holds a thread of the few
 * that files and password hashes need, too, and with a resolver that does not answer it holds it for long.
 *
 * @param seeds service name in the contract → base URL
 */
export function resolveNames(
  seeds: ReadonlyMap<string, string>,
  upstreams: Pick<Upstreams<Connections>, "found">,
  log: Pick<EventLog, "warn">,
  { lookUp = bySystem, everyMs = lookEveryMs }: { lookUp?: LookUp; everyMs?: number } = {},
): { stop(): void } {
  const named = [...seeds].filter(([, url]) => isIP(hostOf(url)) === 0);
  const reported = new Map<string, string>();
  const look = async ([service, url]: [string, string]) => {
    try {
      const addresses = await lookUp(hostOf(url));
      if (stopped) return;
      reported.delete(service);
      if (addresses.length < 2) return upstreams.found(service, [{ address: url }]);
      const replicas = addresses.map(({ address, family }) => {
        const replica = new URL(url);
        replica.hostname = family === 6 ? `[${address}]` : address;
        return { address: replica.origin, instance: address };
      });
      upstreams.found(service, replicas);
    } catch (error) {
      const problem = (error as Error).message;
      if (reported.get(service) !== problem)
        log.warn({ upstream: service, problem }, "no addresses; going on with those known last");
      reported.set(service, problem);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const lookAll = async () => {
    for (const one of named) if (!stopped) await look(one);
    if (!stopped) timer = setTimeout(lookAll, everyMs).unref();
  };
  void lookAll();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}
