import { userInfo } from "node:os";
import { create, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { JetStreamApiError } from "@nats-io/jetstream";
import { v7 as uuidv7 } from "uuid";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { EventSchema } from "#gen/weft/dashboard/v1/events_pb.ts";
import { DeadLetter_State } from "#gen/weft/events/v1/dead_letters_pb.ts";
import type { Bus } from "#mesh/runtime/events/bus.ts";
import { encodeCloudEvent } from "#mesh/runtime/events/cloud-events.ts";
import { eventContract } from "#mesh/runtime/events/event-contract.ts";
import { requestExample } from "../../mesh/codegen/openapi/example/example-of-message.ts";
import type { ContractModel } from "../sources/contract-model.ts";
import { deadLettersOf, newestFirst } from "../sources/dead-letters.ts";
import type { Sources } from "../sources/sources.ts";
import { readEvents, type StreamEvent } from "../sources/stream-events.ts";
import { streamsOf } from "../ticks/streams.ts";
import { jsonSchemaOf } from "./json-schema.ts";

/** JetStream's error code for a stream that is not there. */
const streamNotFound = 10059;

export function eventsRpc(sources: Sources) {
  const { contract, config, log, deadLetters } = sources;
  const sourceOf = (service: string) => {
    const source = deadLetters.find((each) => each.service === service);
    if (!source) throw new ConnectError(`there is no service "${service}"`, Code.NotFound);
    return source;
  };
  const actor = `${userInfo().username} (dashboard)`;
  return {
    listStreams: async () => {
      await sources.bus.look();
      if (sources.bus.problem) throw new ConnectError(sources.bus.problem, Code.Unavailable);
      return { streams: streamsOf(sources) };
    },
    listEvents: async ({ stream, subject, before, limit }) => {
      const bus = busOf(sources);
      const found = await readEvents(bus, contract.registry, {
        stream,
        before: Number(before),
        limit: limit || 20,
        matches: (event) => subject === "" || event.subject === subject,
      }).catch((error: unknown) => {
        if (error instanceof JetStreamApiError && error.code === streamNotFound)
          throw new ConnectError(`there is no stream "${stream}"`, Code.NotFound);
        throw new ConnectError(`bus: ${(error as Error).message}`, Code.Unavailable);
      });
      return { events: found.events.map(eventOf), nextBefore: BigInt(found.nextBefore) };
    },
    getEventForm: ({ event }) => {
      const { known, schema } = eventNamed(contract, event);
      return {
        subject: known.subject,
        type: known.type,
        stream: known.stream,
        schema: jsonSchemaOf(schema, "request", contract.registry),
        example: JSON.stringify(requestExample(schema, [], contract.registry) ?? {}, null, 2),
      };
    },
    publishEvent: async ({ event, json, id }) => {
      if (!config.development)
        throw new ConnectError("events are published by hand in development only", Code.FailedPrecondition);
      const { known, schema } = eventNamed(contract, event);
      const message = readMessage(() => fromJsonString(schema, json, { registry: contract.registry }));
      const result = createValidator({ registry: contract.registry }).validate(schema, message);
      if (result.kind === "invalid")
        throw new ConnectError(`json: ${result.error.message}`, Code.InvalidArgument);
      const key = readMessage(() => eventContract(schema).keyOf(message));
      const headers = encodeCloudEvent({
        id: id || uuidv7(),
        source: "/operator",
        type: known.type,
        time: new Date(),
        key,
        version: eventContract(schema).versionOf(message),
        data: new Uint8Array(),
      });
      const ack = await busOf(sources)
        .js.publish(known.subject, toBinary(schema, message), { headers })
        .catch((error: Error) => {
          throw new ConnectError(`bus: ${error.message}`, Code.Unavailable);
        });
      log.info({ subject: known.subject, id: headers.get("ce-id"), actor }, "published an event by hand");
      return {
        id: headers.get("ce-id"),
        subject: known.subject,
        stream: ack.stream,
        sequence: BigInt(ack.seq),
        duplicate: ack.duplicate,
      };
    },
    listDeadLetters: async ({ states, service, consumer, limit }) => {
      const filter = {
        states: states.length > 0 ? states : [DeadLetter_State.OPEN],
        consumer,
        limit: limit || 100,
      };
      const asked = service === "" ? deadLetters : [sourceOf(service)];
      const problems: string[] = [];
      // One service that is away must not hide the dead letters of the others.
      const found = await Promise.all(
        asked.map((source) =>
          deadLettersOf(source, filter).catch((error: Error) => {
            problems.push(error.message);
            return [];
          }),
        ),
      );
      const letters = newestFirst(found.flat()).slice(0, filter.limit);
      return {
        deadLetters: letters.map(({ service, letter: deadLetter }) => ({ service, deadLetter })),
        problems,
      };
    },
    getDeadLetter: ({ service, id }) => sourceOf(service).client.getDeadLetter({ id }),
    replayDeadLetter: ({ service, id }) => sourceOf(service).client.replayDeadLetter({ id, actor }),
    dropDeadLetter: ({ service, id }) => sourceOf(service).client.dropDeadLetter({ id, actor }),
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

/** An event by its subject or the full name of its message. @throws ConnectError NOT_FOUND */
function eventNamed({ contract, registry }: ContractModel, event: string) {
  const known = contract.events.find(({ subject, type }) => subject === event || type === event);
  const schema = known && registry.getMessage(known.type);
  if (!known || !schema) throw new ConnectError(`the contract has no event "${event}"`, Code.NotFound);
  return { known, schema };
}

/** @throws ConnectError UNAVAILABLE */
export function busOf({ bus: { bus } }: Sources): Bus {
  if (!bus?.isConnected()) throw new ConnectError("bus: not connected", Code.Unavailable);
  return bus;
}

/** @throws ConnectError INVALID_ARGUMENT with the field and the reason */
export function readMessage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConnectError(`json: ${(error as Error).message}`, Code.InvalidArgument);
  }
}

function eventOf({ sequence, time, ...event }: StreamEvent) {
  return create(EventSchema, { ...event, sequence: BigInt(sequence), time: timestampFromDate(time) });
}
