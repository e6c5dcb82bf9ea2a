/** Compiled files → the model that all targets read. */
import type { DescMethod, DescService, FileRegistry } from "@bufbuild/protobuf";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import type { ServicePolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../../read-option.ts";
import { checkContract } from "../checks/check-contract.ts";
import { aboutOf } from "./about.ts";
import type { Calls, Contract, MeshEvent, MeshMethod, MeshService } from "./model.ts";
import { ANYBODY, EVERY_SERVICE } from "./model.ts";
import { Problems } from "./problems.ts";
import { readEvent, writtenEvents } from "./read-events.ts";
import { isIdempotent, readPolicy, writtenPolicy } from "./read-policy.ts";

/** A service of the contract that is served in the mesh. */
export interface Served {
  readonly desc: DescService;
  readonly name: string;
}

/**
 * The contract of `files`. Services without (weft.policy.v1.service) are not served and left out.
 * @throws Error with a line for each thing that is wrong: FILE:LINE, option, what to write instead
 */
export function readContract(registry: FileRegistry, files: readonly string[]): Contract {
  const descs = files.flatMap((name) => registry.getFile(name) ?? []);
  const served = descs.flatMap((file) => file.services).flatMap((desc) => servedOf(registry, desc));
  const written = writtenEvents(registry, descs);
  const publishers = servicesByPackage(served);

  const problems = new Problems();
  checkContract({ registry, served, written, publishers }, problems);
  problems.throwIfAny();

  const events = written
    .map((event) => readEvent(event, publishers.get(event.desc.file.proto.package)!))
    .sort((a, b) => compare(a.subject, b.subject));
  const names = [...new Set(served.map(({ name }) => name))].filter((name) => name !== EVERY_SERVICE).sort();
  const named = (name: string) => served.filter((each) => each.name === name).map(({ desc }) => desc);
  const methodsOf = new Map(
    names.map((name) => [
      name,
      [...named(name), ...named(EVERY_SERVICE)].flatMap((contract) =>
        contract.methods.map((method) => readMethod(registry, method, !named(name).includes(contract))),
      ),
    ]),
  );
  const calls = callsByCaller(methodsOf);
  const services = names.map((name): MeshService => {
    const contracts = named(name);
    return {
      name,
      about: aboutOf(contracts[0]!),
      contracts,
      methods: methodsOf.get(name)!,
      publishes: events.filter((event) => event.publishers.includes(name)),
      consumes: subscriptionsOf(events, name),
      calls: calls.get(name) ?? [],
    };
  });
  return { services, events };
}

/** Package → names of its services, sorted; what every service serves is not one of them. */
function servicesByPackage(served: readonly Served[]): ReadonlyMap<string, readonly string[]> {
  const own = served.filter(({ name }) => name !== EVERY_SERVICE);
  const packages = Map.groupBy(own, ({ desc }) => desc.file.proto.package);
  return new Map(
    [...packages].map(([name, services]) => [name, [...new Set(services.map((each) => each.name))].sort()]),
  );
}

function servedOf(registry: FileRegistry, desc: DescService): Served[] {
  const policy = readOption<ServicePolicy>(registry, desc, "weft.policy.v1.service");
  return policy ? [{ desc, name: policy.name }] : [];
}

function readMethod(registry: FileRegistry, desc: DescMethod, shared: boolean): MeshMethod {
  return {
    desc,
    name: desc.name,
    service: desc.parent.typeName,
    path: `/${desc.parent.typeName}/${desc.name}`,
    about: aboutOf(desc),
    kind: desc.methodKind,
    shared,
    idempotent: isIdempotent(desc),
    policy: readPolicy(desc, writtenPolicy(registry, desc)),
    rest: restOf(readOption<HttpRule>(registry, desc, "google.api.http")),
  };
}

function restOf(rule: HttpRule | undefined): string[] {
  if (!rule) return [];
  return [rule, ...rule.additionalBindings].flatMap(({ pattern }) => {
    if (pattern.case === undefined) return [];
    if (pattern.case === "custom") return [`${pattern.value.kind} ${pattern.value.path}`];
    return [`${pattern.case.toUpperCase()} ${pattern.value}`];
  });
}

/** One pass over all methods: a contract of thousands must not be searched once for each caller. */
function callsByCaller(methodsOf: ReadonlyMap<string, readonly MeshMethod[]>): Map<string, Calls[]> {
  const calls = new Map<string, Calls[]>();
  for (const [callee, methods] of methodsOf) {
    const byCaller = new Map<string, MeshMethod[]>();
    for (const method of methods)
      for (const caller of method.policy.callers)
        if (caller !== ANYBODY) byCaller.set(caller, [...(byCaller.get(caller) ?? []), method]);
    for (const [caller, allowed] of byCaller)
      calls.set(caller, [...(calls.get(caller) ?? []), { callee, methods: allowed }]);
  }
  return calls;
}

function subscriptionsOf(events: readonly MeshEvent[], reader: string): MeshService["consumes"] {
  return events.flatMap((event) =>
    event.consumers.filter(({ service }) => service === reader).map((consumer) => ({ event, consumer })),
  );
}

/** Order of code units, the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
