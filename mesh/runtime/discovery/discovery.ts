/** How this process finds the others, and how they find it. */
import { hostname } from "node:os";
import type { Config } from "../config.ts";
import type { Bus, EventLog } from "../events/bus.ts";
import { spiffeId } from "../identity/spiffe-id.ts";
import type { Http2Sessions } from "../rpc/http2-sessions.ts";
import { type Directory, followDirectory } from "./directory.ts";
import type { Connections } from "./endpoint.ts";
import type { Instance } from "./instance.ts";
import { type Registration, register } from "./registration.ts";
import { resolveNames } from "./resolve-names.ts";
import { Upstreams } from "./upstreams.ts";

/** Discovery of one process. */
export interface Discovery<C extends Connections> {
  readonly upstreams: Upstreams<C>;
  /** Undefined where there is no registry. */
  readonly directory: Directory | undefined;
  /** Lets others find this process, once it is ready. */
  announce(port: number): void;
  /** Takes that back and waits until they have heard of it. Never throws. */
  withdraw(): Promise<void>;
  /** Lets go of the registry and of all connections to upstreams. */
  close(): Promise<void>;
}

/**
 * @param options.bus the process's connection to NATS; needed for WEFT_DISCOVERY=registry only
 * @param options.open makes the connection pool of one replica of a service, `openProbe` one for a single question
 * @throws Error when the registry is wanted and there is no bus
 */
export function startDiscovery<C extends Connections>(options: {
  /** Name of this process's service. */
  service: string;
  config: Config;
  bus: Bus | undefined;
  log: EventLog;
  open: (service: string, address: string) => C;
  openProbe: (service: string, address: string) => Http2Sessions;
}): Discovery<C> {
  const { service, config, bus, log, open, openProbe } = options;
  const upstreams = new Upstreams<C>({
    seeds: config.upstreams,
    open,
    openProbe,
    onEjection: (upstream, { instance, address }, ejected) =>
      log.warn(
        { upstream, instance: instance ?? address },
        ejected ? "replica left out: it fails" : "replica is back",
      ),
  });
  const names = config.discovery === "dns" ? resolveNames(config.upstreams, upstreams, log) : undefined;
  const directory = config.discovery === "registry" ? follow(bus, log, upstreams) : undefined;
  let registration: Registration | undefined;
  return {
    upstreams,
    directory,
    announce(port) {
      if (!directory) return;
      registration = register(need(bus), entryOf(service, config, port), log);
    },
    async withdraw() {
      await registration?.end();
    },
    async close() {
      names?.stop();
      directory?.stop();
      await upstreams.close();
    },
  };
}

function follow(
  bus: Bus | undefined,
  log: EventLog,
  upstreams: Pick<Upstreams<Connections>, "found">,
): Directory {
  const directory = followDirectory(need(bus), log, (service) =>
    upstreams.found(service, directory.instancesOf(service)),
  );
  return directory;
}

function need(bus: Bus | undefined): Bus {
  if (!bus) throw new Error("configuration: WEFT_DISCOVERY=registry needs NATS_URL");
  return bus;
}

/** Name of this process among the replicas of its service. */
export function instanceName({ instance }: Config): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_-]/g, "-")
    .slice(0, 60);
  return instance ?? `${host}-${process.pid}`;
}

/** When this process began. */
export function startedAt(): Date {
  return new Date(performance.timeOrigin);
}

function entryOf(service: string, config: Config, port: number): Instance {
  const { host, address, version, mesh } = config;
  return {
    service,
    instance: instanceName(config),
    version,
    address: address ?? `${mesh === "none" ? "https" : "http"}://${host}:${port}`,
    spiffeId: spiffeId(service, config),
    state: "ready",
    startedAt: startedAt().toISOString(),
  };
}
