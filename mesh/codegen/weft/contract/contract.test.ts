/** The generator cannot import what it generates, so it reads options by itself: here it is held to what processes read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { Code } from "#gen/google/rpc/code_pb.ts";
import { file_weft_policy_v1_policy } from "#gen/weft/policy/v1/policy_pb.ts";
import { durableName } from "#mesh/runtime/events/durable.ts";
import { eventContract } from "#mesh/runtime/events/event-contract.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { compileTestdata, root } from "../testdata/compile.ts";
import { optionFields } from "./problems.ts";
import { readContract } from "./read-contract.ts";

const ours = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen/descriptors.binpb")));
const contracts = [
  readContract(
    createFileRegistry(ours),
    ours.file.map(({ name }) => name),
  ),
  ...["calls", "users", "events"].map((name) => {
    const set = compileTestdata();
    const files = set.file.map((file) => file.name).filter((file) => file.startsWith(`library/${name}/`));
    return readContract(createFileRegistry(set), files);
  }),
];

test("every method's policy is what processes obey", () => {
  const methods = contracts.flatMap(({ services }) => services.flatMap((service) => service.methods));
  expect(methods.length).toBeGreaterThan(10);
  for (const { desc, policy } of methods) {
    const known = policyOf(desc);
    expect(policy, desc.name).toMatchObject({
      callers: [...known.callers].sort(),
      timeoutMs: known.timeoutMs,
      breaker: known.breaker,
      concurrency: { ...known.concurrency, edgeLimit: known.edgeConcurrency },
      idempotencyKeyRequired: known.idempotencyKeyRequired,
      maxRequestBytes: known.maxRequestBytes,
      successStatus: known.successStatus,
      importance: ["", "low", "normal", "high"][known.importance],
    });
    expect(
      policy.retry && {
        ...policy.retry,
        codes: new Set(policy.retry.codes.map((name) => Code[name as "OK"])),
      },
    ).toEqual(known.retry && { ...known.retry });
    expect(policy.rateLimit?.requests).toBe(known.rateLimit?.requests);
    expect(policy.rateLimit?.periodMs).toBe(known.rateLimit?.periodMs);
    expect(policy.rateLimit?.burst).toBe(known.rateLimit?.burst);
  }
});

test("every event's streams and consumers are those that processes make", () => {
  const registry = createFileRegistry(ours);
  const { events } = contracts[0]!;
  expect(events.length).toBeGreaterThan(0);
  for (const event of events) {
    const known = eventContract(registry.getMessage(event.type) as DescMessage);
    expect(event).toMatchObject({ subject: known.subject, stream: known.stream });
    expect(event.consumers).toEqual(
      known.consumers.map(({ service, maxDeliver, backoff, ackWait, maxAckPending }) => ({
        service,
        durable: durableName(service, known),
        maxDeliver,
        backoffMs: backoff,
        ackWaitMs: ackWait,
        maxAckPending,
      })),
    );
  }
});

test("problems know the numbers of the options they point at", () => {
  const roots = { service: "ServicePolicy", rpc: "MethodPolicy", message: "EventPolicy" } as const;
  for (const [kind, fields] of Object.entries(optionFields))
    for (const [path, numbers] of Object.entries(fields)) {
      let message: DescMessage | undefined = file_weft_policy_v1_policy.messages.find(
        ({ name }) => name === roots[kind as keyof typeof roots],
      );
      const found = path.split(".").map((name) => {
        const field = message?.fields.find((candidate) => candidate.name === name);
        message = field?.message;
        return field?.number;
      });
      expect(found, path).toEqual(numbers);
    }
});
