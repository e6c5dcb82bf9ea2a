/**
 * Spans of events by the semantic conventions for messaging (opentelemetry.io/docs/specs/semconv/messaging): an
 * event is created in the transaction that causes it, published by the relay, and processed by each reader. Each
 * of the three is the parent of the next, so that a trace goes on through the stream.
 */
import { SpanKind, type SpanType } from "../telemetry/span.ts";

const types = new Map<string, SpanType>();

/** Operations that are made once for each subject or consumer, which are few. */
function typeOf(operation: string, target: string, make: () => SpanType): SpanType {
  const known = types.get(`${operation} ${target}`);
  if (known) return known;
  const type = make();
  types.set(`${operation} ${target}`, type);
  return type;
}

export function createSpan(subject: string): SpanType {
  return typeOf("create", subject, () => ({
    name: `create ${subject}`,
    kind: SpanKind.producer,
    attributes: messaging("create", "create", subject),
  }));
}

export function publishSpan(subject: string): SpanType {
  return typeOf("publish", subject, () => ({
    name: `publish ${subject}`,
    kind: SpanKind.producer,
    attributes: messaging("publish", "send", subject),
  }));
}

/** @param consumer its durable name */
export function processSpan(subject: string, consumer: string): SpanType {
  return typeOf("process", consumer, () => ({
    name: `process ${subject}`,
    kind: SpanKind.consumer,
    attributes: {
      ...messaging("process", "process", subject),
      "messaging.consumer.group.name": consumer,
    },
  }));
}

/** The handler's own work, without the inbox around it. */
export function handleSpan(consumer: string): SpanType {
  return typeOf("handle", consumer, () => ({
    name: `handle ${consumer}`,
    kind: SpanKind.internal,
    attributes: {},
  }));
}

function messaging(name: string, type: string, subject: string): SpanType["attributes"] {
  return {
    "messaging.system": "nats",
    "messaging.operation.name": name,
    "messaging.operation.type": type,
    "messaging.destination.name": subject,
  };
}
