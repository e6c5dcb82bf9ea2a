/** Events of a stream, read one by one and decoded by the contract. */
import type { FileRegistry, JsonObject } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { JetStreamApiError, type StoredMsg } from "@nats-io/jetstream";
import type { Bus } from "#mesh/runtime/events/bus.ts";
import { redactedJson } from "#mesh/runtime/policy/redact.ts";

/** An event that the bus has. */
export interface StreamEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly time: Date;
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly traceId: string;
  readonly requestId: string;
  readonly headers: Record<string, string>;
  readonly payload: JsonObject | undefined;
  /** Why there is no payload; empty if there is. */
  readonly payloadProblem: string;
  readonly payloadBytes: number;
}

/** Messages asked for at once, and for one answer: those of other subjects are read past. */
const atOnce = 20;
const mostRead = 1_000;
/** JetStream's error code for a sequence that has no message. */
const noMessage = 10037;

/**
 * The newest events before a sequence.
 *
 * @param options.before 0: the newest
 * @param options.after where to stop; 0: at the oldest
 * @param options.matches which ones; those that do not are read past, up to 1,000
 * @returns them, newest first, and where to go on; 0 at the oldest
 */
export async function readEvents(
  bus: Bus,
  registry: FileRegistry,
  options: {
    stream: string;
    before: number;
    after?: number;
    limit: number;
    matches: (event: Pick<StreamEvent, "subject" | "key">) => boolean;
  },
): Promise<{ events: StreamEvent[]; nextBefore: number }> {
  const { stream, before, after = 0, limit, matches } = options;
  const { state } = await bus.jsm.streams.info(stream);
  let next = before > 0 ? Math.min(before - 1, state.last_seq) : state.last_seq;
  const stop = Math.max(state.first_seq, after + 1, next - mostRead + 1);
  const events: StreamEvent[] = [];
  while (next >= stop && events.length < limit) {
    const sequences = Array.from({ length: Math.min(atOnce, next - stop + 1) }, (_, index) => next - index);
    const messages = await Promise.all(sequences.map((seq) => readOne(bus, stream, seq)));
    for (const message of messages) {
      if (events.length === limit) break;
      next--;
      const event = message && decode(stream, message, registry);
      if (event && matches(event)) events.push(event);
    }
  }
  return { events, nextBefore: next >= state.first_seq ? next + 1 : 0 };
}

async function readOne(bus: Bus, stream: string, seq: number): Promise<StoredMsg | undefined> {
  try {
    return (await bus.jsm.streams.getMessage(stream, { seq })) ?? undefined;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === noMessage) return undefined;
    throw error;
  }
}

function decode(stream: string, message: StoredMsg, registry: FileRegistry): StreamEvent {
  const headers = Object.fromEntries(
    [...(message.header ?? [])].map(([name, values]) => [name, values.map(decoded).join(", ")]),
  );
  const named = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const type = named["ce-type"] ?? "";
  return {
    stream,
    sequence: message.seq,
    subject: message.subject,
    time: message.time,
    id: named["ce-id"] ?? "",
    type,
    key: named["ce-partitionkey"] ?? "",
    traceId: /^00-([0-9a-f]{32})-/.exec(named["ce-traceparent"] ?? "")?.[1] ?? "",
    requestId: named["x-request-id"] ?? "",
    headers,
    ...payloadOf(message.data, type, registry),
    payloadBytes: message.data.length,
  };
}

/** Header values are percent-encoded where they hold more than plain ASCII. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function payloadOf(
  data: Uint8Array,
  type: string,
  registry: FileRegistry,
): Pick<StreamEvent, "payload" | "payloadProblem"> {
  const schema = registry.getMessage(type);
  if (!schema)
    return { payload: undefined, payloadProblem: type ? `the contract has no ${type}` : "no type is given" };
  try {
    return { payload: redactedJson(schema, fromBinary(schema, data), registry), payloadProblem: "" };
  } catch (error) {
    return { payload: undefined, payloadProblem: `it is no ${type}: ${(error as Error).message}` };
  }
}
