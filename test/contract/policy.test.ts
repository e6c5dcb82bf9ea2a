/** The contract's options hold together: what the build promises of every method and every event. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createFileRegistry, type DescMessage, fromBinary, getOption, hasOption } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { event, method as methodOption, service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { system } from "#local/system.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { keyedMethods } from "#mesh/runtime/rpc/require-key.ts";

const root = resolve(import.meta.dirname, "../..");
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen/descriptors.binpb"))),
);
const services = [...registry]
  .filter((type) => type.kind === "service")
  .filter((service) => hasOption(service, serviceOption));
const methods = services.flatMap((service) => service.methods);
const events = [...registry]
  .filter((type) => type.kind === "message")
  .filter((message) => hasOption(message, event));
/** Contracts of the kit, which services serve under their own names, are called "*". */
const names = services
  .map((service) => getOption(service, serviceOption).name)
  .filter((name) => name !== "*");

test("the contract and the system have the same services, each with a name of its own", () => {
  expect(names.toSorted()).toEqual(system.services.map(({ name }) => name).toSorted());
});

test.each(methods.map((method) => [`${method.parent.name}.${method.name}`, method] as const))(
  "%s has a whole policy",
  (_name, method) => {
    const policy = policyOf(method);
    expect(policy.access?.case, "access rule").toBeDefined();
    expect(policy.callers.size, "callers").toBeGreaterThan(0);
    for (const caller of policy.callers) expect(["edge", "operator", "*", ...names]).toContain(caller);
    expect(policy.timeoutMs).toBeGreaterThan(0);
    if (policy.access?.case === "serviceOnly")
      expect(policy.callers.has("edge") || policy.callers.has("*")).toBe(false);
    if (policy.access?.case === "owner") {
      const { location } = policy.access.value;
      if (location.case === "requestField") expect(fieldNames(method.input)).toContain(location.value);
      if (location.case === "responseField") expect(fieldNames(method.output)).toContain(location.value);
      expect(location.case).toBeDefined();
    }
    const retry = hasOption(method, methodOption) ? getOption(method, methodOption).retry : undefined;
    if (retry) expect(method.idempotency, "retry needs idempotency").not.toBe(Level.IDEMPOTENCY_UNKNOWN);
  },
);

test("keys are asked for where a repeat would do something again", () => {
  const keyed = services.flatMap(keyedMethods);
  expect(keyed.length).toBeGreaterThan(0);
  for (const { idempotency } of keyed) expect(idempotency).not.toBe(Level.NO_SIDE_EFFECTS);
});

test.each(events.map((message) => [message.typeName, message] as const))(
  "event %s is whole",
  (_name, message) => {
    const { subject, key, version, consumers } = getOption(message, event);
    expect(subject.startsWith(`${message.file.proto.package}.`)).toBe(true);
    expect(fieldNames(message)).toContain(key);
    if (version) expect(fieldNames(message)).toContain(version);
    expect(consumers.length).toBeGreaterThan(0);
    for (const { service } of consumers) expect(names).toContain(service);
  },
);

function fieldNames(message: DescMessage): string[] {
  return message.fields.map((field) => field.name);
}
