/**
 * DESIGN
 *
 * One delivery of one event:
 *
 *   decode → begin → claim in the inbox → handler → commit → ack
 *
 * - The claim is there already: the effect is, too. Ack.
 * - The handler fails: roll back, count the failure in dead_letters, nak with the contract's backoff.
 * - It failed for the last time, or trying again is useless (malformed, PermanentEventError): the row in
 *   dead_letters becomes "open", then term.
 * - The database is away or asks for another try: nothing is counted, nak.
 *
 * Nothing is acknowledged before it is stored; a delivery that ends in any other way comes again after
 * ack_wait. Failures are counted in the database, not by the server, whose count starts anew with each
 * consumer and includes deliveries that never reached a handler.
 */
import { fromBinary, type Message } from "@bufbuild/protobuf";
import type { JsMsg } from "@nats-io/jetstream";
import { runInContext } from "#mesh/runtime/telemetry/context.ts";
import { failpoint } from "../failpoint.ts";
import { errorTypeOf } from "../telemetry/tracer.ts";
import { type CloudEvent, decodeCloudEvent, MalformedEventError } from "./cloud-events.ts";
import { type FailedDelivery, failuresOf, recordFailure } from "./dead-letters.ts";
import type { EventContract } from "./event-contract.ts";
import { processSpan } from "./event-spans.ts";
import { HandlerFailure, handleOnce, PermanentEventError, type Reader } from "./handle-once.ts";
import { isTransient } from "./transient.ts";

/** What became of a delivery. */
export type DeliveryOutcome = "handled" | "duplicate" | "retry" | "dead";

/** Handles one delivery and answers it. Never throws. */
export async function deliver(reader: Reader, message: JsMsg): Promise<DeliveryOutcome> {
  const log = { consumer: reader.consumer, streamSequence: message.info.streamSequence };
  try {
    const { outcome, delay } = await outcomeOf(reader, message);
    if (outcome === "retry") message.nak(delay);
    else if (outcome === "dead")
      message.term(); // nats-server 2.9 takes a reason for a request to redeliver
    else acknowledge(message);
    return outcome;
  } catch (error) {
    // The database is away, or the connection to NATS: the delivery comes again either way.
    const delay = jitter(Math.min(15_000, 125 * 2 ** Math.min(message.info.deliveryCount, 10)));
    reader.log.warn({ ...log, err: error, retryInMs: delay }, "an event could not be handled now");
    try {
      message.nak(delay);
    } catch {
      // without an answer the server delivers again after ack_wait
    }
    return "retry";
  }
}

function acknowledge(message: JsMsg): void {
  failpoint("consumer.ack.before");
  message.ack();
  failpoint("consumer.ack.after");
}

interface Outcome {
  readonly outcome: DeliveryOutcome;
  /** Milliseconds until the next try. */
  readonly delay?: number;
  /** Why it was not handled. */
  readonly error?: unknown;
}

async function outcomeOf(reader: Reader, message: JsMsg): Promise<Outcome> {
  let event: CloudEvent | undefined;
  let body: Message;
  try {
    event = decodeCloudEvent(message.headers, message.data);
    body = decodeBody(reader.contract, event);
  } catch (error) {
    // With its id and key where they can be read: what is dropped stays dropped when its body can be read one day.
    return failed(reader, message, event, error);
  }
  return handle(reader, message, event, body);
}

/** In the trace of what caused the event. */
async function handle(reader: Reader, message: JsMsg, event: CloudEvent, body: Message): Promise<Outcome> {
  const { tracer, policy, consumer } = reader;
  const context = tracer.open(event, { deadline: Date.now() + policy.ackWait });
  const end = (error: unknown) =>
    context.trace?.end(context, processSpan(message.subject, consumer), {
      slowMs: policy.ackWait / 2,
      error: error === undefined ? undefined : errorTypeOf(error),
      more: { "messaging.message.id": event.id, "weft.delivery": message.info.deliveryCount },
    });
  return runInContext(context, async () => {
    try {
      const outcome = await tryToHandle(reader, message, event, body);
      end(outcome.error);
      return outcome;
    } catch (error) {
      end(error);
      throw error;
    }
  });
}

async function tryToHandle(
  reader: Reader,
  message: JsMsg,
  event: CloudEvent,
  body: Message,
): Promise<Outcome> {
  let attempt = 1;
  if (message.redelivered) {
    attempt += await failuresOf(reader.orm.em.fork(), reader.consumer, event.id);
    // Counted before the try: what brings the process down cannot count itself.
    if (message.info.deliveryCount > attempt + 2 * reader.policy.maxDeliver) {
      const lost = new Error(`delivered ${message.info.deliveryCount} times without an outcome`);
      const outcome = await failed(reader, message, event, lost);
      if (outcome.outcome === "dead") return outcome;
    }
  }
  try {
    const started = performance.now();
    const fresh = await handleOnce(reader, { event, body, attempt, headers: headersOf(message) });
    const outcome = fresh ? "handled" : "duplicate";
    const ms = Math.round((performance.now() - started) * 10) / 10;
    reader.log.info({ consumer: reader.consumer, eventId: event.id, attempt, outcome, ms }, "event");
    return { outcome };
  } catch (error) {
    const byHandler = error instanceof HandlerFailure;
    const cause = byHandler ? error.cause : error;
    if (isTransient(cause, byHandler)) throw cause;
    return failed(reader, message, event, cause);
  }
}

async function failed(
  reader: Reader,
  message: JsMsg,
  event: CloudEvent | undefined,
  error: unknown,
): Promise<Outcome> {
  const { policy, contract } = reader;
  const { stream, streamSequence } = message.info;
  const useless = error instanceof MalformedEventError || error instanceof PermanentEventError;
  const delivery: FailedDelivery = {
    consumer: reader.consumer,
    eventId: event?.id ?? `${stream}:${streamSequence}@${message.timestamp}`,
    type: event?.type ?? contract.type,
    subject: message.subject,
    key: event?.key ?? "",
    payload: message.data,
    headers: headersOf(message),
    stream,
    streamSequence,
  };
  const { attempts, dead } = await recordFailure(
    reader.orm.em.fork(),
    delivery,
    error,
    useless ? 0 : policy.maxDeliver,
  );
  const log = { consumer: reader.consumer, eventId: delivery.eventId, streamSequence, attempts, err: error };
  if (dead) {
    reader.log.error(log, "an event is given up; it is in dead_letters");
    return { outcome: "dead", error };
  }
  const delay = jitter(policy.backoff[Math.min(attempts, policy.backoff.length) - 1] as number);
  reader.log.warn({ ...log, retryInMs: delay }, "handling an event failed");
  return { outcome: "retry", delay, error };
}

/** Within a fifth of `ms`, so that what failed together is not tried together. */
function jitter(ms: number): number {
  return Math.round(ms * (0.8 + Math.random() * 0.4));
}

function headersOf(message: JsMsg): Record<string, string> {
  return Object.fromEntries(
    (message.headers?.keys() ?? []).map((name) => [name.toLowerCase(), message.headers?.get(name) ?? ""]),
  );
}

/**
 * The message of an event.
 * @throws MalformedEventError when it is not what its contract and its headers say
 */
export function decodeBody(contract: EventContract, event: CloudEvent): Message {
  if (event.type !== contract.type)
    throw new MalformedEventError(`the type is "${event.type.slice(0, 200)}", not "${contract.type}"`);
  let body: Message;
  try {
    body = fromBinary(contract.schema, event.data);
  } catch {
    throw new MalformedEventError(`the body is not a ${contract.type}`);
  }
  if (contract.keyOf(body) !== event.key)
    throw new MalformedEventError("the body's key differs from ce-partitionkey");
  const version = contract.versionOf(body);
  if (version !== undefined && event.version !== undefined && version !== event.version)
    throw new MalformedEventError("the body's version differs from ce-sequence");
  return body;
}
