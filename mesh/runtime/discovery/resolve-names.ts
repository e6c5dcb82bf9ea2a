import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { EventLog } from "../events/bus.ts";
import type { Connections } from "./endpoint.ts";
import type { Upstreams } from "./upstreams.ts";

/** Time between two look-ups, in milliseconds: what a record of a cluster's DNS usually lives. */
const lookEveryMs = 5_000;

/**
 * Discovery by DNS: every address that a service's host name has is a replica (a headless Service of Kubernetes, a
 * scaled service of Compose). A name with one address stays a name, for whatever balances behind it.
 *
 * @param seeds service name in the contract → base URL
 */
export function resolveNames(
  seeds: ReadonlyMap<string, string>,
  upstreams: Pick<Upstreams<Connections>, "found">,
  log: EventLog,
): { stop(): void } {
  const named = [...seeds].filter(([, url]) => isIP(hostOf(url)) === 0);
  const reported = new Map<string, string>();
  const look = async ([service, url]: [string, string]) => {
    try {
      const addresses = await lookup(hostOf(url), { all: true });
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
  const lookAll = () => Promise.all(named.map(look));
  void lookAll();
  const timer = setInterval(lookAll, lookEveryMs).unref();
  return { stop: () => clearInterval(timer) };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}
