/** What a service does on the bus. */
export interface BusWork {
  readonly service: string;
  /** Subjects it publishes events on. */
  readonly publishes: readonly string[];
  /** Streams it owns: it creates them and keeps their settings. */
  readonly streams: readonly string[];
  /** Key-value buckets it reads, writes and creates. */
  readonly buckets?: readonly string[];
  /** Whether it enters itself into the registry of services and reads who else is there. */
  readonly registers?: boolean;
  /** Issues users' access tokens, and so may void them; everybody hears of that (identity/revocations.ts). */
  readonly issuesTokens?: boolean;
  /** Whether faults may be injected into it, so that it follows which are. Development only. */
  readonly faults?: boolean;
  /** Durable consumers of its own on streams that may belong to others. */
  readonly consumes: readonly { stream: string; durable: string; filterSubject: string }[];
}

/** Subjects a user of the bus may use; everything else is refused. */
export interface BusRights {
  readonly publish: string[];
  readonly subscribe: string[];
}

/** Key-value bucket in which replicas of the edge share rate limits. */
export const RATE_LIMIT_BUCKET = "weft_rate_limits";

/** Key-value bucket of the registry of services (discovery/registry.ts), key SERVICE.INSTANCE. */
export const REGISTRY_BUCKET = "weft_registry";

/** Key-value bucket in which the issuer of access tokens says which are void. */
export const REVOCATION_BUCKET = "weft_revocations";

/** Key-value bucket of faults that are injected on purpose (faults/fault-list.ts), key "all". Development only. */
export const FAULTS_BUCKET = "weft_faults";

/**
 * The least rights that a service's work needs.
 *
 * Every right names its stream and consumer: whoever may publish to all of `$JS.API`
 * may also purge and read the streams of others. A service hears nothing but
 * replies to itself (its connections use the inbox prefix `_INBOX.<service>`),
 * notices about its own consumers and, where it registers, changes of the registry.
 *
 * Subjects of the JetStream API: https://docs.nats.io/reference/reference-protocols/nats_api_reference
 */
export function busRights(work: BusWork): BusRights {
  const {
    service,
    publishes,
    streams,
    buckets = [],
    registers = false,
    issuesTokens,
    faults = false,
    consumes,
  } = work;
  return {
    publish: [
      ...publishes,
      "$JS.API.INFO",
      ...streams.flatMap(streamRights),
      ...buckets.flatMap(bucketRights),
      ...(registers ? registryRights(service) : []),
      ...(issuesTokens ? bucketRights(REVOCATION_BUCKET) : readerRights(REVOCATION_BUCKET)),
      ...(faults ? [`$JS.API.STREAM.MSG.GET.KV_${FAULTS_BUCKET}`] : []),
      ...consumes.flatMap(consumerRights),
    ],
    subscribe: [
      `_INBOX.${service}.>`,
      ...(registers ? [`$KV.${REGISTRY_BUCKET}.>`] : []),
      `$KV.${REVOCATION_BUCKET}.>`,
      ...(faults ? [`$KV.${FAULTS_BUCKET}.all`] : []),
      ...consumes.map(noticeOfGivingUp),
    ],
  };
}

/**
 * Rights of whoever runs the system: looks at every stream and consumer, reads events one by one, and publishes
 * events by hand. Changes no stream, and takes no event away from its reader.
 *
 * @param subjects of the events that may be published
 * @param faults whether faults may be injected
 */
export function operatorRights(subjects: readonly string[], faults: boolean): BusRights {
  return {
    publish: [
      ...subjects,
      ...(faults ? [`$JS.API.STREAM.CREATE.KV_${FAULTS_BUCKET}`, `$KV.${FAULTS_BUCKET}.all`] : []),
      "$JS.API.INFO",
      "$JS.API.STREAM.NAMES",
      "$JS.API.STREAM.LIST",
      "$JS.API.STREAM.INFO.>",
      "$JS.API.STREAM.MSG.GET.>",
      "$JS.API.CONSUMER.NAMES.>",
      "$JS.API.CONSUMER.LIST.>",
      "$JS.API.CONSUMER.INFO.>",
    ],
    subscribe: ["_INBOX.operator.>"],
  };
}

function streamRights(stream: string): string[] {
  return ["INFO", "CREATE", "UPDATE"].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);
}

/** A bucket is a stream named KV_BUCKET with a subject for each key. */
function bucketRights(bucket: string): string[] {
  const stream = `KV_${bucket}`;
  return [...streamRights(stream), `$JS.API.STREAM.MSG.GET.${stream}`, `$KV.${bucket}.>`];
}

/** It may make the bucket but not change or empty it, read every entry and write its own. */
function registryRights(service: string): string[] {
  const stream = `KV_${REGISTRY_BUCKET}`;
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.CREATE.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$KV.${REGISTRY_BUCKET}.${service}.*`,
  ];
}

/** Reading entries; hearing of new ones is a right to subscribe. */
function readerRights(bucket: string): string[] {
  return [`$JS.API.STREAM.INFO.KV_${bucket}`, `$JS.API.STREAM.MSG.GET.KV_${bucket}`];
}

/** DURABLE.CREATE is what 2.9 and older clients use, CREATE with the filter in the subject what newer ones use. */
function consumerRights({ stream, durable, filterSubject }: BusWork["consumes"][number]): string[] {
  return [
    `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${durable}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${durable}.${filterSubject}`,
    `$JS.API.CONSUMER.DELETE.${stream}.${durable}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
  ];
}

function noticeOfGivingUp({ stream, durable }: BusWork["consumes"][number]): string {
  return `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${durable}`;
}
