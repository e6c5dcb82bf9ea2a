/** Streams and consumers of the last look, as the contract has them. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConsumerInfo } from "@nats-io/jetstream";
import {
  type Consumer,
  ConsumerSchema,
  type Stream,
  StreamSchema,
} from "#gen/weft/dashboard/v1/events_pb.ts";
import type { Sources } from "../sources/sources.ts";

export function streamsOf(sources: Sources): Stream[] {
  const [look] = sources.bus.looks;
  const consumers = consumersOf(sources);
  return (look?.streams ?? [])
    .map(({ config, state }) =>
      create(StreamSchema, {
        name: config.name,
        subjects: config.subjects,
        messages: BigInt(state.messages),
        bytes: BigInt(state.bytes),
        maxBytes: BigInt(Math.max(0, config.max_bytes ?? 0)),
        firstSequence: BigInt(state.first_seq),
        lastSequence: BigInt(state.last_seq),
        lastTime: state.messages > 0 ? timestampFromDate(new Date(state.last_ts)) : undefined,
        consumers: consumers.filter(({ stream }) => stream === config.name),
      }),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By name. */
export function consumersOf({ bus }: Sources): Consumer[] {
  return (bus.looks[0]?.consumers ?? []).map(consumerOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function consumerOf(info: ConsumerInfo): Consumer {
  const [service = ""] = info.name.split("__");
  return create(ConsumerSchema, {
    name: info.name,
    stream: info.stream_name,
    service,
    subject: info.config.filter_subject ?? "",
    pending: BigInt(info.num_pending),
    inFlight: BigInt(info.num_ack_pending),
    redelivered: BigInt(info.num_redelivered),
    deliveredSequence: BigInt(info.delivered.stream_seq),
    active: info.num_waiting > 0 || info.push_bound === true,
  });
}
