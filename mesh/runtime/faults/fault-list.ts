/**
 * The list of faults: one entry of a NATS key-value bucket. A watch is a plain subscription to the entry's subject,
 * read anew after each connect, as for the registry (discovery/registry.ts).
 */
import { JetStreamApiError, StorageType } from "@nats-io/jetstream";
import type { Subscription } from "@nats-io/nats-core";
import type { Bus, EventLog } from "../events/bus.ts";
import { FAULTS_BUCKET } from "../events/bus-rights.ts";
import { type Fault, livingFaults, parseFaults, writeFaults } from "./fault.ts";

const stream = `KV_${FAULTS_BUCKET}`;
const entry = `$KV.${FAULTS_BUCKET}.all`;
/** JetStream's error codes: no such message, no such stream, a stream of this name with other settings. */
const absent: ReadonlySet<number> = new Set([10_037, 10_059]);
const streamNameInUse = 10_058;
const lookEveryMs = 1_000;

/** Faults as a process knows them. */
export interface Faults {
  /** What is to be done to calls of a method now; undefined: nothing. */
  of(service: string, method: string): Fault | undefined;
  stop(): void;
}

/** Follows the list for as long as the process runs. While the bus is away nothing changes. */
export function followFaults(bus: Bus, log: EventLog): Faults {
  let known = new Map<string, Fault>();
  let subscription: Subscription | undefined;
  let epoch = 0;
  const take = (text: string) => {
    try {
      const faults = parseFaults(text);
      known = new Map(faults.map((fault) => [fault.method, fault]));
      log.warn({ faults: faults.map(({ method }) => method) }, "faults are injected on purpose");
    } catch (error) {
      log.warn({ problem: String(error) }, "the list of faults cannot be read; going on with what was known");
    }
  };
  const look = async () => {
    if (!bus.isConnected() || bus.epoch === epoch) return;
    const wanted = bus.epoch;
    try {
      if (!subscription || subscription.isClosed())
        subscription = bus.connection.subscribe(entry, {
          callback: (error, message) => {
            if (!error) take(message.string());
          },
        });
      const text = await readEntry(bus);
      if (text !== undefined) take(text);
      else known = new Map();
      epoch = wanted;
    } catch (error) {
      log.debug({ problem: String(error) }, "the list of faults is away");
    }
  };
  const timer = setInterval(() => void look(), lookEveryMs).unref();
  void bus.connected().then(look, () => {});
  return {
    of(service, method) {
      if (known.size === 0) return undefined;
      const fault = known.get(`${service}/${method}`) ?? known.get(`${service}/*`);
      return fault && fault.until > Date.now() ? fault : undefined;
    },
    stop() {
      clearInterval(timer);
      if (!subscription?.isClosed()) subscription?.unsubscribe();
    },
  };
}

/** Faults that are set and whose time is not over. @throws Error when the bus is away */
export async function readFaults(bus: Bus): Promise<Fault[]> {
  const text = await readEntry(bus);
  return text === undefined ? [] : livingFaults(parseFaults(text), Date.now());
}

/** Replaces the list, for every process at once. @throws Error when the bus is away or refuses */
export async function setFaults(bus: Bus, faults: readonly Fault[]): Promise<void> {
  try {
    await bus.jsm.streams.add({
      name: stream,
      subjects: [`$KV.${FAULTS_BUCKET}.>`],
      storage: StorageType.Memory,
      max_msgs_per_subject: 1,
      max_bytes: 1024 * 1024,
      max_msg_size: 128 * 1024,
      allow_rollup_hdrs: true,
    });
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === streamNameInUse)) throw error;
  }
  await bus.js.publish(entry, writeFaults(faults), { timeout: 2_000 });
}

async function readEntry(bus: Bus): Promise<string | undefined> {
  try {
    const message = await bus.jsm.streams.getMessage(stream, { last_by_subj: entry });
    return message ? new TextDecoder().decode(message.data) : undefined;
  } catch (error) {
    if (error instanceof JetStreamApiError && absent.has(error.code)) return undefined;
    throw error;
  }
}
