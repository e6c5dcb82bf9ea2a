/**
 * DESIGN
 *
 * The relay moves rows from the outbox to their stream. It polls every 250 ms and is woken by each commit of
 * this process that recorded events; rows of other processes wait for the poll. Any number of relays may work
 * on one outbox (publish-round.ts). No LISTEN/NOTIFY: it serialises commits.
 *
 * Failures are of two kinds. The broker is away, slow or has lost the stream: everything pauses, with jitter,
 * and the streams are checked before the next event. Or one event is refused: its key waits, up to a minute
 * between tries, and other keys go on.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { PubAck } from "@nats-io/jetstream";
import { createNoopMeter, type Meter } from "@opentelemetry/api";
import { traceparentOf } from "../telemetry/context.ts";
import { noTracer, type Tracer } from "../telemetry/tracer.ts";
import { BlockedKeys } from "./blocked-keys.ts";
import { isBrokerTrouble } from "./broker-trouble.ts";
import type { Bus, EventLog } from "./bus.ts";
import { encodeCloudEvent } from "./cloud-events.ts";
import { onEventsCommitted } from "./commit-signal.ts";
import { eventContract } from "./event-contract.ts";
import { publishSpan } from "./event-spans.ts";
import { pruneEventTables } from "./prune.ts";
import { hasUnpublished, type OutgoingEvent, publishRound } from "./publish-round.ts";
import { isIntact, recoverStream } from "./stream-recovery.ts";
import type { StreamSize } from "./streams.ts";

/** What a relay works with. */
export interface RelayParts {
  readonly orm: MikroORM;
  readonly bus: Bus;
  /** Events that this service records; their streams are created and kept. */
  readonly events: readonly DescMessage[];
  readonly log: EventLog;
  readonly meter?: Meter;
  readonly tracer?: Tracer;
  readonly stream?: StreamSize;
  /** Milliseconds since 1970; for tests. */
  readonly clock?: () => number;
}

/** A running relay. */
export interface OutboxRelay {
  /** Looks for rows now instead of at the next poll. */
  wake(): void;
  /** Finishes the round in progress and ends. */
  stop(): Promise<void>;
}

const pollInterval = 250;
const longestPause = 5_000;
const publishTimeout = 3_000;
/** Milliseconds after which a publishing is worth a look. */
const slowPublish = 1_000;
const pruneInterval = 10 * 60 * 1_000;
/** How often an idle relay makes sure that its streams are still there. */
const checkInterval = 5_000;

/**
 * Starts publishing the outbox of a service.
 *
 * @throws Error when the contract of an event is wrong.
 */
export function startOutboxRelay({
  orm,
  bus,
  events,
  log,
  meter = createNoopMeter(),
  tracer = noTracer,
  stream: size,
  clock = Date.now,
}: RelayParts): OutboxRelay {
  const streams = new Map(events.map(eventContract).map((contract) => [contract.stream, contract]));
  const instances = new Map<string, { created: string; lastSequence: number }>();
  const blocked = new BlockedKeys(clock);
  const published = meter.createCounter("weft.outbox.published", {
    description: "Events that a stream has acknowledged",
  });
  const recovered = meter.createCounter("weft.outbox.recovered", {
    description: "Events that a stream has lost and gets again",
  });
  let checked = { epoch: 0, at: 0 };
  let stopped = false;
  let woken = false;
  /** After a failure commits must not cut the pause short. */
  let failing = false;
  let endPause = () => {};

  const wake = () => {
    woken = true;
    if (!failing) endPause();
  };
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      if (stopped) endPause();
    });

  const checkStreams = async () => {
    const { epoch } = bus;
    for (const contract of streams.values()) {
      const known = instances.get(contract.stream);
      if (known && (await isIntact(bus, contract.stream, known.created, known.lastSequence))) continue;
      const { created, lost } = await recoverStream({ orm, bus, log, size }, contract);
      if (lost > 0) recovered.add(lost, { stream: contract.stream });
      instances.set(contract.stream, { created, lastSequence: 0 });
    }
    checked = { epoch, at: clock() };
  };

  /** In the trace of what caused the event: readers go on from the publishing. */
  const publishTraced = (event: OutgoingEvent): Promise<PubAck> => {
    if (!tracer.sink) return publish(event);
    const more = { "messaging.message.id": event.id, "messaging.message.body.size": event.payload.length };
    return tracer.run(publishSpan(event.subject), event.headers, { slowMs: slowPublish, more }, (context) =>
      publish({ ...event, headers: { ...event.headers, traceparent: traceparentOf(context) } }),
    );
  };

  const publish = async (event: OutgoingEvent): Promise<PubAck> => {
    const instance = instances.get(event.stream);
    const reached = instance?.lastSequence ?? 0;
    const ack = await bus.js.publish(event.subject, event.payload, {
      headers: headersOf(event, bus.service),
      expect: { streamName: event.stream },
      timeout: publishTimeout,
    });
    if (instance && !ack.duplicate) {
      // Sequences only grow: the stream is another one, or has lost its end.
      if (ack.seq <= reached) checked = { epoch: 0, at: 0 };
      instance.lastSequence = Math.max(instance.lastSequence, ack.seq);
    }
    return ack;
  };

  /**
   * @param sure - whether a commit of this process said that something waits
   * @returns how many milliseconds to rest before the next round
   */
  const round = async (sure: boolean): Promise<number> => {
    if (!bus.isConnected()) return pollInterval;
    if (checked.epoch !== bus.epoch || clock() - checked.at >= checkInterval) await checkStreams();
    const { epoch } = bus;
    const except = blocked.current();
    if (!sure && !(await hasUnpublished(orm.em.fork(), except))) return pollInterval;
    let brokerError: unknown;
    const outcome = await publishRound(orm.em.fork(), publishTraced, except, (error) => {
      if (error !== undefined && isBrokerTrouble(error)) brokerError ??= error;
      return stopped || brokerError !== undefined || !bus.isConnected() || bus.epoch !== epoch;
    });
    if (outcome.published > 0) published.add(outcome.published);
    for (const [key, error] of outcome.failed) {
      if (isBrokerTrouble(error)) continue;
      const wait = blocked.block(key);
      log.error({ err: error, key, retryInMs: wait }, "an event cannot be published; its key waits");
    }
    if (brokerError !== undefined) throw brokerError;
    return outcome.more ? 0 : pollInterval;
  };

  const run = async () => {
    let failures = 0;
    while (!stopped) {
      const sure = woken;
      woken = false;
      let rest: number;
      try {
        rest = await round(sure);
        failures = 0;
        failing = false;
      } catch (error) {
        failing = true;
        checked = { epoch: 0, at: 0 };
        rest = Math.min(longestPause, 100 * 2 ** failures++) * (0.5 + Math.random());
        log.warn({ err: error, retryInMs: Math.round(rest) }, "the outbox cannot be published");
      }
      if (rest > 0 && (failing || !woken) && !stopped) await pause(rest);
    }
  };

  const pruning = setInterval(() => {
    pruneEventTables(orm).catch((error: unknown) => log.warn({ err: error }, "event tables were not pruned"));
  }, pruneInterval);
  pruning.unref();
  const forget = onEventsCommitted(orm.em, wake);
  const running = run();
  return {
    wake,
    async stop() {
      stopped = true;
      forget();
      clearInterval(pruning);
      endPause();
      await running;
    },
  };
}

function headersOf(event: OutgoingEvent, service: string) {
  return encodeCloudEvent({
    id: event.id,
    source: `/services/${service}`,
    type: event.type,
    time: new Date(event.recordedAt),
    key: event.key,
    version: event.version === null ? undefined : BigInt(event.version),
    ...event.headers,
    data: event.payload,
  });
}
