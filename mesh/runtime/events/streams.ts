/** The JetStream stream of a producing service: created and kept up to date by the service itself. */
import {
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import type { Bus } from "./bus.ts";
import type { EventContract } from "./event-contract.ts";

/** How long events stay in their stream and in the outbox: seven days, in milliseconds. */
export const retention = 7 * 24 * 60 * 60 * 1_000;

/** What a deployment may choose about its streams. */
export interface StreamSize {
  /** Bytes the stream may hold. When it is full, publishing is refused and events wait in the outbox. */
  readonly maxBytes?: number;
  /** Copies in a NATS cluster: 1 or 3. */
  readonly replicas?: number;
}

/** JetStream's error codes (server/errors.json of nats-server). */
const streamNotFound = 10059;

/**
 * Creates the stream of an event's package, or updates it when its settings differ.
 *
 * File storage, limits retention, discard new: what was acknowledged is never dropped for newer events.
 *
 * @throws JetStreamApiError when the server refuses, TimeoutError or BusAwayError when it is away.
 */
export async function ensureStream(
  bus: Bus,
  { stream, streamSubjects }: Pick<EventContract, "stream" | "streamSubjects">,
  { maxBytes = 256 * 1024 * 1024, replicas = 1 }: StreamSize = {},
): Promise<StreamInfo> {
  const wanted = {
    subjects: [streamSubjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    duplicate_window: nanos(2 * 60 * 1_000),
    max_age: nanos(retention),
    max_bytes: maxBytes,
    max_msg_size: 1024 * 1024,
    num_replicas: replicas,
  } satisfies Partial<StreamConfig>;
  const info = await findStream(bus, stream);
  if (!info) return bus.jsm.streams.add({ name: stream, ...wanted });
  const current = info.config as unknown as Record<string, unknown>;
  const differs = Object.entries(wanted).some(
    ([name, value]) => JSON.stringify(current[name]) !== JSON.stringify(value),
  );
  return differs ? bus.jsm.streams.update(stream, wanted) : info;
}

/** State of a stream; undefined when there is none of this name. */
export async function findStream(bus: Bus, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await bus.jsm.streams.info(stream);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}
