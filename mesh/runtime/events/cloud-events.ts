/**
 * Events on the wire: CloudEvents 1.0 in binary content mode over NATS (NATS Protocol Binding 1.0,
 * section 3.1): attributes in headers "ce-...", the Protobuf message as the body.
 *
 * Extensions in use: partitioning (partitionkey), sequence (sequence), distributed tracing (traceparent).
 */

import type { MsgHdrs } from "@nats-io/nats-core";
import { headers as newHeaders } from "@nats-io/nats-core";

/** Attributes and body of one event. */
export interface CloudEvent {
  /** Unique for ever, at most 255 characters; also the stream's duplicate key. */
  readonly id: string;
  /** URI reference of the producer: /services/NAME. */
  readonly source: string;
  /** Full name of the Protobuf message. */
  readonly type: string;
  readonly time: Date;
  /** Value that orders events. */
  readonly key: string;
  /** Version of the aggregate after the event. */
  readonly version?: bigint;
  /** Id of the request that caused the event. */
  readonly requestId?: string;
  /** W3C trace context of the request that caused the event. */
  readonly traceparent?: string;
  /** Protobuf binary. */
  readonly data: Uint8Array;
}

/** A message that is not a CloudEvent as this mesh writes them. Trying again cannot help. */
export class MalformedEventError extends Error {
  override readonly name = "MalformedEventError";
}

const contentType = "application/protobuf";
/** RFC 3339, section 5.6. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** Headers that carry the attributes of an event; its data is the body beside them. */
export function encodeCloudEvent(event: CloudEvent): MsgHdrs {
  const headers = newHeaders();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) headers.set(name, percentEncode(value));
  };
  set("content-type", contentType);
  set("ce-specversion", "1.0");
  set("ce-id", event.id);
  set("ce-source", event.source);
  set("ce-type", event.type);
  set("ce-time", event.time.toISOString());
  set("ce-subject", event.key);
  set("ce-partitionkey", event.key);
  // The extension wants values whose order as text is their order as numbers; 2^64 has 20 digits.
  set("ce-sequence", event.version?.toString().padStart(20, "0"));
  set("ce-traceparent", event.traceparent);
  set("x-request-id", event.requestId);
  set("Nats-Msg-Id", event.id);
  return headers;
}

/**
 * Reads an event; unknown attributes are ignored, as CloudEvents demands.
 *
 * @throws MalformedEventError naming the header and what is wrong with it.
 */
export function decodeCloudEvent(headers: MsgHdrs | undefined, data: Uint8Array): CloudEvent {
  const get = (name: string): string | undefined => {
    const values = headers?.values(name) ?? [];
    if (values.length > 1) throw new MalformedEventError(`header ${name} is given ${values.length} times`);
    return values[0] === undefined ? undefined : percentDecode(name, values[0]);
  };
  const need = (name: string, limit = 1_024): string => {
    const value = get(name);
    if (!value) throw new MalformedEventError(`header ${name} is missing`);
    if (value.length > limit)
      throw new MalformedEventError(`header ${name} is longer than ${limit} characters`);
    return value;
  };
  const expect = (name: string, expected: string) => {
    const value = need(name);
    if (value !== expected) throw new MalformedEventError(`header ${name} is "${value}", not "${expected}"`);
  };
  expect("ce-specversion", "1.0");
  expect("content-type", contentType);
  const id = need("ce-id", 255);
  const messageId = get("Nats-Msg-Id");
  if (messageId !== undefined && messageId !== id)
    throw new MalformedEventError("header Nats-Msg-Id differs from ce-id");
  return {
    id,
    source: need("ce-source"),
    type: need("ce-type"),
    time: parseTime(need("ce-time")),
    key: need("ce-partitionkey"),
    version: parseSequence(get("ce-sequence")),
    requestId: get("x-request-id"),
    traceparent: get("ce-traceparent"),
    data,
  };
}

function parseTime(value: string): Date {
  const time = new Date(value);
  if (!timestamp.test(value) || Number.isNaN(time.getTime()))
    throw new MalformedEventError(`header ce-time is not an RFC 3339 timestamp`);
  return time;
}

function parseSequence(value: string | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  if (!/^-?\d{1,20}$/.test(value)) throw new MalformedEventError("header ce-sequence is not a whole number");
  return BigInt(value);
}

/** Percent-encodes what header values may not hold (CloudEvents HTTP Binding, section 3.1.3.2). */
function percentEncode(value: string): string {
  return value.replace(/[^\x21-\x7e]|["%]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join(""),
  );
}

function percentDecode(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new MalformedEventError(`header ${name} is not percent-encoded UTF-8`);
  }
}
