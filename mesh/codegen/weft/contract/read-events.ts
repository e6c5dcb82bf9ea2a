/** Events of the contract and their readers, with the defaults of policy.proto filled in. */
import type { DescFile, DescMessage, Registry } from "@bufbuild/protobuf";
import type { Consumer, EventPolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../../read-option.ts";
import { aboutOf } from "./about.ts";
import type { ConsumerRule, MeshEvent } from "./model.ts";
import { milliseconds } from "./read-policy.ts";

const DEFAULT_BACKOFF_MS = [1_000, 5_000, 30_000, 120_000];

/** A message marked as an event, as written. */
export interface WrittenEvent {
  readonly desc: DescMessage;
  readonly policy: EventPolicy;
}

/** Events of `files`, nested messages included, in order of declaration. */
export function writtenEvents(registry: Registry, files: readonly DescFile[]): WrittenEvent[] {
  const withNested = (message: DescMessage): DescMessage[] => [
    message,
    ...message.nestedMessages.flatMap(withNested),
  ];
  return files
    .flatMap((file) => file.messages.flatMap(withNested))
    .flatMap((desc) => {
      const policy = readOption<EventPolicy>(registry, desc, "weft.policy.v1.event");
      return policy ? [{ desc, policy }] : [];
    });
}

/** @param publishers services of the event's package */
export function readEvent({ desc, policy }: WrittenEvent, publishers: readonly string[]): MeshEvent {
  return {
    type: desc.typeName,
    about: aboutOf(desc),
    publishers,
    publisher: publishers[0] ?? "",
    subject: policy.subject,
    stream: desc.file.proto.package.toUpperCase().replaceAll(".", "_"),
    key: policy.key,
    version: policy.version,
    consumers: policy.consumers.map((consumer) => readConsumer(desc, consumer)),
  };
}

function readConsumer(desc: DescMessage, consumer: Consumer): ConsumerRule {
  const backoffMs = consumer.backoff.map((wait) => milliseconds(wait) ?? 0);
  return {
    service: consumer.service,
    durable: durableName(consumer.service, desc),
    maxDeliver: consumer.maxDeliver || 5,
    backoffMs: backoffMs.length > 0 ? backoffMs : DEFAULT_BACKOFF_MS,
    ackWaitMs: milliseconds(consumer.ackWait) ?? 30_000,
    maxAckPending: consumer.maxAckPending || 256,
  };
}

/** SERVICE__EVENT in snake case, as mesh/runtime/events/durable.ts names it; contract.test.ts compares the two. */
function durableName(service: string, desc: DescMessage): string {
  const name = desc.typeName.slice(desc.file.proto.package.length + 1);
  const snake = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").replaceAll(".", "_");
  return `${service}__${snake.toLowerCase()}`;
}
