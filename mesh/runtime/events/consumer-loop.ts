/**
 * DESIGN
 *
 * Reads one event for one service until it is stopped: binds to the durable consumer (and waits until its
 * stream exists), pulls no more than it can handle at once, and starts over whenever that ends.
 *
 * Events with the same key are handled one after the other within this process.
 *
 * Watchdog: a durable consumer may be deleted, lost with the store, or present but stuck (nats-server issue
 * 4736): it has messages, may have more in flight, and delivers nothing; or it never delivers again what was not
 * acknowledged. The first two end the pull; for the others the loop looks every 10 s, pulls anew after the first
 * suspicion and recreates the consumer after the second.
 */
import type { ConsumerInfo, ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import type { Meter } from "@opentelemetry/api";
import type { Bus } from "./bus.ts";
import { deliver } from "./deliver.ts";
import { bindDurable, findDurable } from "./durable.ts";
import type { Reader } from "./handle-once.ts";

/** A loop that reads one event. */
export interface ConsumerLoop {
  /** Takes no more events, finishes those in hand, ends. */
  stop(): Promise<void>;
}

const watchInterval = 10_000;
/** A redelivery that is late by so many milliseconds will not come any more. */
const redeliveryGrace = 30_000;
/** Milliseconds; half of it is the server's heartbeat, whose absence shows a deleted consumer. */
const pullExpires = 4_000;

/** Starts reading. */
export function startConsumerLoop({
  reader,
  bus,
  concurrency,
  meter,
  watchEvery = watchInterval,
}: {
  reader: Reader;
  bus: Bus;
  concurrency: number;
  meter: Meter;
  /** Milliseconds between two looks of the watchdog. */
  watchEvery?: number;
}): ConsumerLoop {
  const { consumer, contract, policy, log } = reader;
  const deliveries = meter.createCounter("weft.consumer.deliveries", {
    description: "Events handed to a consumer, by outcome",
  });
  const restarts = meter.createCounter("weft.consumer.restarts", {
    description: "Times that a consumer was missing or stuck and was started anew",
  });
  const inHand = new Set<Promise<unknown>>();
  const lastOfKey = new Map<string, Promise<unknown>>();
  const stopping = Promise.withResolvers<void>();
  let stopped = false;
  let pull: ConsumerMessages | undefined;
  let seen = { delivered: -1, acknowledged: -1, since: 0 };
  let suspicions = 0;
  let endPause = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      if (stopped) endPause();
    });

  const handle = (message: JsMsg): void => {
    const received = Date.now();
    const key = message.headers?.get("ce-partitionkey") ?? "";
    const before = lastOfKey.get(key) ?? Promise.resolve();
    const done = before
      .then(async () => {
        if (stopped) return message.nak();
        if (Date.now() - received > policy.ackWait / 4) message.working();
        const outcome = await deliver(reader, message);
        deliveries.add(1, { consumer, outcome });
      })
      .catch((error: unknown) => log.warn({ consumer, err: error }, "a delivery could not be answered"));
    lastOfKey.set(key, done);
    inHand.add(done);
    void done.then(() => {
      inHand.delete(done);
      if (lastOfKey.get(key) === done) lastOfKey.delete(key);
    });
  };

  const read = async () => {
    await Promise.race([bus.connected(), stopping.promise]);
    if (stopped) return;
    const durable = await bindDurable(bus, consumer, contract, policy);
    if (stopped) return;
    const messages = await durable.consume({
      max_messages: concurrency,
      expires: pullExpires,
      abort_on_missing_resource: true,
    });
    pull = messages;
    const watch = watchProgress(messages);
    try {
      for await (const message of messages) {
        handle(message);
        while (inHand.size >= concurrency) await Promise.race(inHand);
      }
    } finally {
      clearInterval(watch);
      pull = undefined;
      messages.stop();
    }
  };

  /** Longest time in milliseconds until an event that was not acknowledged has to come again. */
  const redeliveredWithin = Math.max(policy.ackWait, ...policy.backoff) * 1.2 + redeliveryGrace;

  const isStuck = (info: ConsumerInfo): boolean => {
    const now = { delivered: info.delivered.consumer_seq, acknowledged: info.ack_floor.stream_seq };
    if (now.delivered !== seen.delivered || now.acknowledged !== seen.acknowledged) {
      seen = { ...now, since: Date.now() };
      return false;
    }
    const mayDeliver = info.num_pending > 0 && info.num_ack_pending < policy.maxAckPending;
    return mayDeliver || (info.num_ack_pending > 0 && Date.now() - seen.since > redeliveredWithin);
  };

  const watchProgress = (messages: ConsumerMessages) => {
    const look = async () => {
      if (!bus.isConnected() || inHand.size > 0) return;
      const info = await findDurable(bus, contract.stream, consumer);
      const stuck = !info || isStuck(info);
      suspicions = stuck ? suspicions + 1 : 0;
      if (suspicions === 0) return;
      log.warn(
        { consumer, missing: !info, pending: info?.num_pending },
        "a consumer is missing or stuck; starting it anew",
      );
      restarts.add(1, { consumer });
      if (info && suspicions > 1) await bus.jsm.consumers.delete(contract.stream, consumer);
      messages.stop();
    };
    const interval = setInterval(() => {
      look().catch((error: unknown) => log.debug({ consumer, err: error }, "the watchdog could not look"));
    }, watchEvery);
    interval.unref();
    return interval;
  };

  const run = async () => {
    let failures = 0;
    let reported = "";
    while (!stopped) {
      try {
        await read();
        failures = 0;
        reported = "";
        if (!stopped) await pause(50);
      } catch (error) {
        if (stopped) break;
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== reported)
          log.info({ consumer, stream: contract.stream, problem }, "cannot read events; trying again");
        reported = problem;
        await pause(Math.min(2_000, 100 * 2 ** failures++) * (0.5 + Math.random()));
      }
    }
  };

  const running = run();
  return {
    async stop() {
      stopped = true;
      stopping.resolve();
      endPause();
      pull?.stop();
      await running;
      await Promise.all(inHand);
    },
  };
}
