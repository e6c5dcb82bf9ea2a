/** The durable pull consumer of one service for one event. */
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  ReplayPolicy,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import type { Bus } from "./bus.ts";
import type { ConsumerPolicy, EventContract } from "./event-contract.ts";

/** SERVICE__EVENT, the event's name in snake case: part of NATS subjects, and the consumer's name in the inbox. */
export function durableName(service: string, contract: EventContract): string {
  const name = contract.type.slice(contract.schema.file.proto.package.length + 1);
  return `${service}__${name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_")
    .replaceAll(".", "_")
    .toLowerCase()}`;
}

/**
 * Binds to the durable consumer; creates it when it is missing and updates what the contract has changed.
 *
 * max_deliver is unlimited on the server: it would silently stop delivering a message whose last delivery
 * was lost with its process. The reader counts failures itself. `backoff` is not set either, because it
 * overrides the delays of negative acknowledgements. A new consumer starts with the oldest event the stream
 * has; the inbox drops what was handled before.
 *
 * @throws JetStreamApiError when the stream does not exist (yet) or the server refuses.
 */
export async function bindDurable(
  bus: Bus,
  name: string,
  contract: EventContract,
  policy: ConsumerPolicy,
): Promise<Consumer> {
  const mutable = {
    ack_wait: nanos(policy.ackWait),
    max_ack_pending: policy.maxAckPending,
    max_deliver: -1,
  } satisfies Partial<ConsumerConfig>;
  const fixed = {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    filter_subject: contract.subject,
  } satisfies Partial<ConsumerConfig>;
  let info = await findDurable(bus, contract.stream, name);
  if (info && info.config.filter_subject !== contract.subject) {
    await bus.jsm.consumers.delete(contract.stream, name);
    info = undefined;
  }
  if (!info) info = await bus.jsm.consumers.add(contract.stream, { ...fixed, ...mutable });
  else if (differs(info.config, mutable))
    info = await bus.jsm.consumers.update(contract.stream, name, mutable);
  return bus.js.consumers.getConsumerFromInfo(info);
}

/** State of a durable consumer; undefined when it does not exist. */
export async function findDurable(bus: Bus, stream: string, name: string): Promise<ConsumerInfo | undefined> {
  try {
    return await bus.jsm.consumers.info(stream, name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound)
      return undefined;
    throw error;
  }
}

function differs(config: ConsumerConfig, wanted: Partial<ConsumerConfig>): boolean {
  const current = config as unknown as Record<string, unknown>;
  return Object.entries(wanted).some(([name, value]) => (current[name] ?? -1) !== value);
}
