import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { jetstream } from "@nats-io/jetstream";
import { type MsgHdrs, headers as newHeaders } from "@nats-io/nats-core";
import { encodeCloudEvent } from "#mesh/runtime/events/cloud-events.ts";
import { eventContract, eventsOf } from "#mesh/runtime/events/event-contract.ts";
import type { Random } from "../harness/random.ts";
import { asService } from "./bus.ts";

/** Marks poison in a stream, for whoever reads it afterwards. */
export const poisonHeader = "x-poison";

/** Where poison goes: events with a consumer. */
const places = [
  { service: "order", type: "shop.order.v1.OrderConfirmed" },
  { service: "order", type: "shop.order.v1.OrderCancelled" },
  { service: "inventory", type: "shop.inventory.v1.StockChanged" },
];

/** Subject of each event of a descriptor set, by the event's full name. */
export function subjectsOfEvents(descriptors: string): Map<string, string> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
  return new Map(
    eventsOf([...registry.files])
      .map(eventContract)
      .map(({ type, subject }) => [type, subject]),
  );
}

/**
 * Publishes messages that no consumer can read: a body that is not Protobuf, a type that nobody knows, headers
 * that are not those of a CloudEvent.
 *
 * @param subjects - of the events, by full name
 * @returns how many there are
 */
export async function poisonEvents(
  bus: { dataDir: string; port: number },
  subjects: ReadonlyMap<string, string>,
  random: Random,
): Promise<number> {
  let put = 0;
  for (const { service, type } of places) {
    const subject = subjects.get(type);
    if (!subject) throw new Error(`${type} has no subject`);
    const event = { source: `/services/${service}`, time: new Date(), key: random.uuid() };
    const garbage = Buffer.from(Array.from({ length: 64 }, () => random.integer(128, 255)));
    const messages: [MsgHdrs, Uint8Array][] = [
      [encodeCloudEvent({ ...event, id: random.uuid(), type, data: garbage }), garbage],
      [encodeCloudEvent({ ...event, id: random.uuid(), type: `${type}Next`, data: garbage }), garbage],
      [newHeaders(), garbage],
    ];
    await asService({ ...bus, service }, async (connection) => {
      for (const [headers, data] of messages) {
        headers.set(poisonHeader, "yes");
        await jetstream(connection).publish(subject, data, { headers });
        put++;
      }
    });
  }
  return put;
}
