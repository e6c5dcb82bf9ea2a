import type { Subscription } from "@nats-io/nats-core";
import type { Bus, EventLog } from "../events/bus.ts";
import type { Instance } from "./instance.ts";
import { heartbeatMs } from "./registration.ts";
import { ensureRegistry, followRegistry, type RegistryChange, readRegistry } from "./registry.ts";

/** Without a heartbeat for this long, in milliseconds, a process counts as gone: three were missed. */
const expiryMs = 3.5 * heartbeatMs;
const lookEveryMs = 1_000;

/** Who is there, as the registry tells it. */
export interface Directory {
  /** Processes of a service that take calls, in the order of their names. */
  instancesOf(service: string): readonly Instance[];
  /** Every process of every service. */
  all(): readonly Instance[];
  /** Whether the registry can be heard now; without it, what was known last stays. */
  readonly isLive: boolean;
  /** Resolves when the registry was read for the first time. */
  readonly loaded: Promise<void>;
  stop(): void;
}

interface Known {
  readonly instance: Instance;
  /** When it was last heard of; milliseconds of `performance.now()`. */
  heardAt: number;
}

/**
 * Follows the registry.
 * @param onChange told which service has other processes than before
 * @param times milliseconds without a heartbeat after which a process counts as gone, and between two looks
 */
export function followDirectory(
  bus: Bus,
  log: EventLog,
  onChange: (service: string) => void,
  times: { expiryMs: number; lookEveryMs: number } = { expiryMs, lookEveryMs },
): Directory {
  const known = new Map<string, Known>();
  const loaded = Promise.withResolvers<void>();
  let subscription: Subscription | undefined;
  /** Connect of the bus that the subscription and the last full reading belong to. */
  let epoch = 0;
  let live = false;
  let reported = "";
  let stopped = false;

  const take = (change: RegistryChange, ageMs = 0) => {
    if (change.kind === "ended") {
      if (known.delete(`${change.service}.${change.instance}`)) onChange(change.service);
      return;
    }
    const { instance } = change;
    const key = `${instance.service}.${instance.instance}`;
    const before = known.get(key);
    const heardAt = performance.now() - ageMs;
    known.set(key, { instance, heardAt: Math.max(heardAt, before?.heardAt ?? 0) });
    if (JSON.stringify(before?.instance) !== JSON.stringify(instance)) onChange(instance.service);
  };
  const attach = async () => {
    const wanted = bus.epoch;
    if (!subscription || subscription.isClosed()) subscription = followRegistry(bus, take);
    await ensureRegistry(bus);
    for (const { instance, ageMs } of await readRegistry(bus))
      if (ageMs < times.expiryMs) take({ kind: "present", instance }, ageMs);
    // What was known before gets the time to send its next heartbeat.
    for (const entry of known.values())
      entry.heardAt = Math.max(entry.heardAt, performance.now() - heartbeatMs);
    epoch = wanted;
    live = true;
    loaded.resolve();
    if (reported) log.info("the registry is back");
    reported = "";
  };
  const expire = () => {
    const now = performance.now();
    for (const [key, { instance, heardAt }] of known) {
      if (now - heardAt < times.expiryMs) continue;
      known.delete(key);
      log.warn({ upstream: instance.service, instance: instance.instance }, "no heartbeat: taken as gone");
      onChange(instance.service);
    }
  };
  const look = async () => {
    if (stopped) return;
    if (!bus.isConnected()) {
      live = false;
      return;
    }
    try {
      if (!live || bus.epoch !== epoch) await attach();
      expire();
    } catch (error) {
      live = false;
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== reported)
        log.warn({ problem }, "the registry cannot be read; going on with what was known last");
      reported = problem;
    }
  };
  let busy = false;
  let lookedAt = performance.now();
  /** While this process itself stood still it heard nobody, and what came meanwhile is read after this: that counts against nobody. */
  const forgiveOwnAbsence = () => {
    const now = performance.now();
    const late = now - lookedAt - times.lookEveryMs;
    lookedAt = now;
    if (late > 0) for (const entry of known.values()) entry.heardAt = Math.min(now, entry.heardAt + late);
  };
  const lookOnce = async () => {
    forgiveOwnAbsence();
    if (busy) return;
    busy = true;
    await look();
    busy = false;
  };
  void bus.connected().then(lookOnce, () => {});
  const timer = setInterval(lookOnce, times.lookEveryMs).unref();

  const sorted = (instances: Instance[]) => instances.sort((a, b) => (a.instance < b.instance ? -1 : 1));
  return {
    instancesOf: (service) =>
      sorted(
        [...known.values()]
          .map(({ instance }) => instance)
          .filter((instance) => instance.service === service && instance.state === "ready"),
      ),
    all: () => sorted([...known.values()].map(({ instance }) => instance)),
    get isLive() {
      return live && bus.isConnected();
    },
    loaded: loaded.promise,
    stop() {
      stopped = true;
      clearInterval(timer);
      subscription?.unsubscribe();
    },
  };
}
