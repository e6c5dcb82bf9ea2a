/**
 * The registry: a NATS key-value bucket with one entry for each process, key SERVICE.INSTANCE.
 *
 * DESIGN. Entries live by heartbeats: each process writes its own again and again, and readers forget what has
 * not been heard of for a while. The server forgets too (the bucket's age limit), so that nothing piles up; but
 * it tells nobody, and per-key ages need nats-server 2.11, so readers do not wait for that. A watch is a plain
 * subscription to the bucket's subjects: it needs no right to make consumers, and the next heartbeat makes good
 * what was missed. The bucket is kept in memory: after a restart of the server the heartbeats fill it again.
 */
import { DiscardPolicy, JetStreamApiError, StorageType } from "@nats-io/jetstream";
import { headers, type Msg, nanos, type Subscription } from "@nats-io/nats-core";
import type { Bus } from "../events/bus.ts";
import { REGISTRY_BUCKET } from "../events/bus-rights.ts";
import { type Instance, parseInstance } from "./instance.ts";

const stream = `KV_${REGISTRY_BUCKET}`;
const prefix = `$KV.${REGISTRY_BUCKET}.`;
/** Header and its value that stand for the end of an entry (NATS ADR-8). */
const operation = "KV-Operation";
const ended = "DEL";
/** Age at which the server drops an entry, in milliseconds; far beyond what readers wait for. */
const maxAgeMs = 60_000;
/** JetStream's error codes. */
const streamNameInUse = 10_058;
const noMessage = 10_037;

/** What becomes of an entry. */
export type RegistryChange =
  | { readonly kind: "present"; readonly instance: Instance }
  | { readonly kind: "ended"; readonly service: string; readonly instance: string };

/** Makes the bucket unless there is one. @throws JetStreamApiError, or an error of a bus that is away */
export async function ensureRegistry(bus: Bus): Promise<void> {
  try {
    await bus.jsm.streams.add({
      name: stream,
      subjects: [`${prefix}>`],
      storage: StorageType.Memory,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      max_age: nanos(maxAgeMs),
      duplicate_window: nanos(maxAgeMs),
      max_bytes: 4 * 1024 * 1024,
      max_msg_size: 4 * 1024,
      allow_rollup_hdrs: true,
      deny_delete: true,
    });
  } catch (error) {
    // Made by another version of this program: it serves as it is.
    if (!(error instanceof JetStreamApiError && error.code === streamNameInUse)) throw error;
  }
}

/** Writes an entry. @throws as `ensureRegistry`; also when the bucket is not there */
export async function writeEntry(bus: Bus, instance: Instance): Promise<void> {
  await bus.js.publish(keyOf(instance), JSON.stringify(instance), { timeout: 2_000 });
}

/** Ends an entry, for everybody who reads. */
export async function endEntry(bus: Bus, instance: Pick<Instance, "service" | "instance">): Promise<void> {
  const marker = headers();
  marker.set(operation, ended);
  await bus.js.publish(keyOf(instance), "", { headers: marker, timeout: 1_000 });
}

/** Calls `onChange` for each entry that is written or ended from now on. */
export function followRegistry(bus: Bus, onChange: (change: RegistryChange) => void): Subscription {
  return bus.connection.subscribe(`${prefix}>`, {
    callback: (error, message) => {
      const change = error ? undefined : changeOf(message);
      if (change) onChange(change);
    },
  });
}

/** All entries there are now, with their age in milliseconds by the server's clock and ours. */
export async function readRegistry(bus: Bus): Promise<{ instance: Instance; ageMs: number }[]> {
  const info = await bus.jsm.streams.info(stream, { subjects_filter: `${prefix}>` });
  const subjects = Object.keys(info.state.subjects ?? {});
  const entries = await Promise.all(subjects.map((subject) => readEntry(bus, subject)));
  return entries.filter((entry) => entry !== undefined);
}

async function readEntry(bus: Bus, subject: string) {
  try {
    const message = await bus.jsm.streams.getMessage(stream, { last_by_subj: subject });
    if (!message || message.header?.get(operation)) return undefined;
    const instance = parseInstance(new TextDecoder().decode(message.data));
    if (!instance || keyOf(instance) !== subject) return undefined;
    return { instance, ageMs: Math.max(0, Date.now() - Date.parse(message.timestamp)) };
  } catch (error) {
    // Ended or forgotten between the list and now.
    if (error instanceof JetStreamApiError && error.code === noMessage) return undefined;
    throw error;
  }
}

function changeOf(message: Msg): RegistryChange | undefined {
  const [service, instance, more] = message.subject.slice(prefix.length).split(".");
  if (!service || !instance || more !== undefined) return undefined;
  if (message.headers?.get(operation)) return { kind: "ended", service, instance };
  const entry = parseInstance(message.string());
  // The server checks who writes a key; what stands in the entry must be about that key.
  if (entry?.service !== service || entry.instance !== instance) return undefined;
  return { kind: "present", instance: entry };
}

function keyOf({ service, instance }: Pick<Instance, "service" | "instance">): string {
  return `${prefix}${service}.${instance}`;
}
