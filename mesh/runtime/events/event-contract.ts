/**
 * What the contract says about an event: its subject, stream, key, version and readers.
 * Read from weft.policy.v1.EventPolicy of the message's descriptor, checked once, at start-up.
 */
import {
  type DescField,
  type DescFile,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { event as eventOption } from "#gen/weft/policy/v1/policy_pb.ts";

/** How one service reads one event, with the defaults of weft.policy.v1.Consumer filled in. */
export interface ConsumerPolicy {
  /** ServicePolicy.name of the reader. */
  readonly service: string;
  /** Failures after which the event goes to the reader's dead letters. */
  readonly maxDeliver: number;
  /** Milliseconds before the second, third, ... try; the last entry repeats. Never empty. */
  readonly backoff: readonly number[];
  /** Milliseconds a delivery may take before it counts as lost. */
  readonly ackWait: number;
  /** Deliveries in flight. */
  readonly maxAckPending: number;
}

/** An event as its contract describes it. */
export interface EventContract {
  readonly schema: DescMessage;
  /** Full name of the message; the CloudEvents type. */
  readonly type: string;
  readonly subject: string;
  /** Name of the stream that holds every event of the package: a.b.v1 becomes A_B_V1. */
  readonly stream: string;
  /** Subjects of that stream: "a.b.v1.>". */
  readonly streamSubjects: string;
  /** Value that orders events. Throws when it is empty. */
  keyOf(message: Message): string;
  /** Version of the aggregate; undefined when the contract names no version field. */
  versionOf(message: Message): bigint | undefined;
  readonly consumers: readonly ConsumerPolicy[];
}

const defaults = {
  maxDeliver: 5,
  backoff: [1_000, 5_000, 30_000, 120_000],
  ackWait: 30_000,
  maxAckPending: 256,
};
const known = new WeakMap<DescMessage, EventContract>();

/**
 * The contract of an event.
 *
 * @throws Error naming the message and the option when the contract is wrong: no (weft.policy.v1.event), a
 * subject outside the package or with wildcards, a key or version field that does not exist or has another
 * type, a consumer without a name, listed twice, or with durations that are not positive.
 */
export function eventContract(schema: DescMessage): EventContract {
  let contract = known.get(schema);
  if (!contract) {
    contract = readContract(schema);
    known.set(schema, contract);
  }
  return contract;
}

/** Every message of the files that is marked as an event, nested ones included, in order of declaration. */
export function eventsOf(files: readonly DescFile[]): DescMessage[] {
  const withNested = (message: DescMessage): DescMessage[] => [
    message,
    ...message.nestedMessages.flatMap(withNested),
  ];
  return files
    .flatMap((file) => file.messages.flatMap(withNested))
    .filter((message) => hasOption(message, eventOption));
}

function readContract(schema: DescMessage): EventContract {
  if (!hasOption(schema, eventOption)) throw contractError(schema, "has no option (weft.policy.v1.event)");
  const policy = getOption(schema, eventOption);
  const packageName = schema.file.proto.package;
  checkSubject(schema, policy.subject, packageName);
  const key = fieldOf(schema, "key", policy.key, [ScalarType.STRING]);
  const version =
    policy.version === ""
      ? undefined
      : fieldOf(schema, "version", policy.version, [ScalarType.INT64, ScalarType.UINT64]);
  const consumers = policy.consumers.map((consumer): ConsumerPolicy => {
    const at = `consumer "${consumer.service}"`;
    return {
      service: consumer.service,
      maxDeliver: consumer.maxDeliver || defaults.maxDeliver,
      backoff: consumer.backoff.length
        ? consumer.backoff.map((wait) => positive(schema, `${at} backoff`, wait))
        : defaults.backoff,
      ackWait: consumer.ackWait ? positive(schema, `${at} ack_wait`, consumer.ackWait) : defaults.ackWait,
      maxAckPending: consumer.maxAckPending || defaults.maxAckPending,
    };
  });
  checkConsumers(schema, consumers);
  return {
    schema,
    type: schema.typeName,
    subject: policy.subject,
    stream: packageName.toUpperCase().replaceAll(".", "_"),
    streamSubjects: `${packageName}.>`,
    keyOf(message) {
      const value = reflect(schema, message).get(key) as string;
      if (value === "")
        throw new Error(`event ${schema.typeName}: field ${key.name} orders events and must not be empty`);
      return value;
    },
    versionOf: (message) =>
      version ? BigInt(reflect(schema, message).get(version) as bigint | string) : undefined,
    consumers,
  };
}

function checkSubject(schema: DescMessage, subject: string, packageName: string): void {
  if (subject === "") throw contractError(schema, "has no subject");
  if (packageName === "" || !subject.startsWith(`${packageName}.`))
    throw contractError(
      schema,
      `has subject "${subject}", which must start with its package: "${packageName}."`,
    );
  if (!subject.split(".").every((token) => /^[\w-]+$/.test(token)))
    throw contractError(
      schema,
      `has subject "${subject}"; its parts may hold letters, digits, "_" and "-" only`,
    );
}

function checkConsumers(schema: DescMessage, consumers: readonly ConsumerPolicy[]): void {
  const names = consumers.map(({ service }) => service);
  for (const name of names)
    if (!/^[a-z][a-z0-9-]*$/.test(name))
      throw contractError(schema, `has a consumer with the service name "${name}"`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw contractError(schema, `lists the consumer "${twice}" twice`);
}

function fieldOf(schema: DescMessage, option: string, name: string, types: readonly ScalarType[]): DescField {
  const field = schema.fields.find((candidate) => candidate.name === name);
  if (!field) throw contractError(schema, `has ${option} "${name}", which is not one of its fields`);
  if (field.fieldKind !== "scalar" || !types.includes(field.scalar))
    throw contractError(
      schema,
      `has ${option} "${name}", which must be of type ${types.map((type) => ScalarType[type].toLowerCase()).join(" or ")}`,
    );
  return field;
}

function positive(schema: DescMessage, what: string, duration: Duration): number {
  const ms = durationMs(duration);
  if (ms <= 0) throw contractError(schema, `has a ${what} that is not positive`);
  return ms;
}

function contractError(schema: DescMessage, problem: string): Error {
  return new Error(`event contract: ${schema.typeName} ${problem}`);
}
