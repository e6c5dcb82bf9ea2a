/** The consuming side of a service: which events it reads, and the loops that read them. */
import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import type { MikroORM } from "@mikro-orm/postgresql";
import { createNoopMeter, type Meter } from "@opentelemetry/api";
import { noTracer, type Tracer } from "../telemetry/tracer.ts";
import type { Bus, EventLog } from "./bus.ts";
import { type ConsumerLoop, startConsumerLoop } from "./consumer-loop.ts";
import { durableName } from "./durable.ts";
import { type EventContract, eventContract } from "./event-contract.ts";
import type { EventContext, Reader } from "./handle-once.ts";
import type { ObservedConsumer } from "./observe.ts";

export { type EventContext, PermanentEventError } from "./handle-once.ts";

/** An event and what a service does with it. Made by `on`. */
export interface EventHandler {
  readonly contract: EventContract;
  readonly handle: (event: Message, context: EventContext) => Promise<void>;
}

/**
 * Says what a service does with an event.
 *
 * The handler writes through `context.em` only: then its effect happens exactly once. Effects elsewhere (mail,
 * calls) happen at least once; give them `context.id` as their idempotency key. Events of one key normally
 * come in order, but a failed one is passed by its successors: compare `context.version`.
 *
 * @throws Error when the contract of the event is wrong.
 */
export function on<S extends DescMessage>(
  schema: S,
  handle: (event: MessageShape<S>, context: EventContext) => Promise<void>,
): EventHandler {
  return {
    contract: eventContract(schema),
    handle: (event, context) => handle(event as MessageShape<S>, context),
  };
}

/**
 * What reads each event that a service has a handler for.
 * @throws Error when a contract does not name `service` as a consumer, or an event has two handlers.
 */
export function readersOf({
  service,
  orm,
  handlers,
  log,
  tracer = noTracer,
}: {
  service: string;
  orm: MikroORM;
  handlers: readonly EventHandler[];
  log: EventLog;
  tracer?: Tracer;
}): Reader[] {
  const readers = handlers.map(({ contract, handle }) => {
    const policy = contract.consumers.find((consumer) => consumer.service === service);
    if (!policy)
      throw new Error(`${service} handles ${contract.type}, whose contract does not name it as a consumer`);
    return { consumer: durableName(service, contract), contract, policy, handle, orm, log, tracer };
  });
  const names = readers.map(({ consumer }) => consumer);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new Error(`${service} has two handlers for ${twice}`);
  return readers;
}

/** The consumers of a process. */
export interface RunningConsumers {
  /** What they read through. */
  readonly consumers: readonly ObservedConsumer[];
  /** Takes no more events, finishes those in hand, ends. */
  stop(): Promise<void>;
}

/**
 * Starts reading. NATS and the streams may appear later.
 *
 * @param concurrency - deliveries handled at once for each event; each holds a database connection.
 * @throws Error when a contract does not name `service` as a consumer, or an event has two handlers.
 */
export function startConsumers({
  service,
  orm,
  bus,
  handlers,
  log,
  meter = createNoopMeter(),
  tracer,
  concurrency = 4,
}: {
  service: string;
  orm: MikroORM;
  bus: Bus;
  handlers: readonly EventHandler[];
  log: EventLog;
  meter?: Meter;
  tracer?: Tracer;
  concurrency?: number;
}): RunningConsumers {
  const readers = readersOf({ service, orm, handlers, log, tracer });
  const loops: ConsumerLoop[] = readers.map((reader) =>
    startConsumerLoop({ reader, bus, concurrency, meter }),
  );
  return {
    consumers: readers.map(({ consumer, contract }) => ({ consumer, stream: contract.stream })),
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}
