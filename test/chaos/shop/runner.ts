/**
 * Runs the shop as `npm start` does, with proxies on its links and settings for single processes. The harness
 * says which in CHAOS_SETUP.
 */
import { runner } from "#local/runner.ts";
import { system } from "#local/system.ts";
import type { Places, ServiceEntry } from "#local/topology.ts";
import { linkName } from "../harness/system-under-test.ts";

/** CHAOS_SETUP, as JSON. */
export interface RunnerSetup {
  /** Port of the proxy on a link, by its name. */
  readonly links: Readonly<Record<string, number>>;
  /** Settings by process. */
  readonly environment: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const { links, environment } = JSON.parse(process.env.CHAOS_SETUP ?? "") as RunnerSetup;

const withSettings = <E extends ServiceEntry>(entry: E): E => ({
  ...entry,
  environment: (places: Places) => ({ ...entry.environment?.(places), ...environment[entry.name] }),
});

await runner({
  ...system,
  services: system.services.map(withSettings),
  edge: withSettings(system.edge),
  // With a proxy in between everybody has one address; without, replicas find each other through the registry.
  ...(Object.keys(links).length > 0 && {
    link: (link: { from: string; to: string; port: number }) => links[linkName(link)] ?? link.port,
  }),
  // What is killed every other second would soon wait 10 s for each restart.
  restarts: { firstDelay: 100, maxDelay: 400 },
});
