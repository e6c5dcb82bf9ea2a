/** Streams and consumers of the bus, as the operator's user sees them. */
import type { ConsumerInfo, StreamInfo } from "@nats-io/jetstream";
import { type Bus, connectBus } from "#mesh/runtime/events/bus.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import { windowMs } from "./metrics.ts";

/** What was there at the last look. */
export interface BusLook {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly streams: readonly StreamInfo[];
  readonly consumers: readonly ConsumerInfo[];
}

export interface BusSource {
  readonly bus: Bus | undefined;
  /** Looks of the window over which calls are counted too, and the one before it; newest first. */
  readonly looks: readonly BusLook[];
  /** Why there is no look now; undefined if there is. */
  readonly problem: string | undefined;
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** @param url of the operator's user; undefined: there is no bus */
export async function openBus(url: string | undefined, log: Logger): Promise<BusSource> {
  const bus = url === undefined ? undefined : await connectBus({ url, service: "operator", log });
  let looks: readonly BusLook[] = [];
  let problem: string | undefined = "bus: not asked yet";
  return {
    bus,
    get looks() {
      return looks;
    },
    get problem() {
      return problem;
    },
    async look() {
      try {
        if (!bus?.isConnected()) throw new Error("not connected");
        looks = ofWindow([await lookAt(bus), ...looks]);
        problem = undefined;
      } catch (error) {
        looks = [];
        problem = `bus: ${(error as Error).message}`;
      }
    },
    stop: async () => bus?.close(),
  };
}

/** @param looks newest first */
export function ofWindow(looks: readonly BusLook[]): BusLook[] {
  const begin = (looks[0]?.at ?? 0) - windowMs;
  const last = looks.findIndex(({ at }) => at <= begin);
  return last < 0 ? [...looks] : looks.slice(0, last + 1);
}

/** Streams of settings and counters of the mesh itself (key-value buckets) are left out. */
async function lookAt(bus: Bus): Promise<BusLook> {
  const streams: StreamInfo[] = [];
  for await (const info of bus.jsm.streams.list())
    if (!info.config.name.startsWith("KV_")) streams.push(info);
  const consumers = await Promise.all(
    streams.map(async ({ config }) => {
      const found: ConsumerInfo[] = [];
      for await (const info of bus.jsm.consumers.list(config.name))
        if (info.config.durable_name) found.push(info);
      return found;
    }),
  );
  return { at: Date.now(), streams, consumers: consumers.flat() };
}
