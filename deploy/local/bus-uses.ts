import { readFileSync } from "node:fs";
import { createFileRegistry, type DescFile, fromBinary, hasOption } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { RATE_LIMIT_BUCKET } from "#mesh/runtime/events/bus-rights.ts";
import { durableName } from "#mesh/runtime/events/durable.ts";
import { type EventContract, eventContract, eventsOf } from "#mesh/runtime/events/event-contract.ts";
import { meshNameOf } from "#mesh/runtime/policy/method-policy.ts";
import type { BusUse } from "./nats-users.ts";

/**
 * Who publishes and who reads what, as the contract says it: an event belongs to
 * the service of its package, and its option lists the readers.
 *
 * @param descriptors file with the descriptor set of the contract
 * @param services names of those that run; the others get no user
 * @param issuer the one of them that issues access tokens; undefined: none does
 * @param faults whether faults may be injected into them
 */
export function busUses(
  descriptors: string,
  services: string[],
  issuer: string | undefined,
  passwordOf: (service: string) => string,
  faults = false,
): BusUse[] {
  const files = filesOf(descriptors);
  const owners = new Map(
    files.flatMap((file) =>
      file.services
        .filter((service) => hasOption(service, serviceOption))
        .map((service) => [file.proto.package, meshNameOf(service)] as const),
    ),
  );
  const events = eventsOf(files).map(eventContract);
  return services.map((service) => {
    const own = events.filter((event) => owners.get(packageOf(event)) === service);
    const read = events.filter((event) => event.consumers.some((consumer) => consumer.service === service));
    return {
      service,
      password: passwordOf(service),
      publishes: own.map(({ subject }) => subject),
      streams: [...new Set(own.map(({ stream }) => stream))],
      registers: true,
      faults,
      buckets: service === "edge" ? [RATE_LIMIT_BUCKET] : [],
      issuesTokens: service === issuer,
      consumes: read.map((event) => ({
        stream: event.stream,
        durable: durableName(service, event),
        filterSubject: event.subject,
      })),
    };
  });
}

/** Subjects of all events of the contract. */
export function eventSubjects(descriptors: string): string[] {
  return eventsOf(filesOf(descriptors)).map((event) => eventContract(event).subject);
}

function filesOf(descriptors: string): DescFile[] {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(descriptors));
  return [...createFileRegistry(set).files];
}

function packageOf(event: EventContract): string {
  return event.schema.file.proto.package;
}
